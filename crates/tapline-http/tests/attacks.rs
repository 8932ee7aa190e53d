//! What is not granted is not reached, whatever names, addresses and servers say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "attacks/support.rs"]
mod support;

use std::net::IpAddr;

use support::{Bench, Names, Server, answer};
use tapline_core::HttpRequest;
use tapline_http::WebClient;

/// A client for which `127.0.0.1` is a public address, and the rest of this machine is not.
fn client(names: &Names) -> WebClient {
    let is_public = |address: IpAddr| address.to_string() == "127.0.0.1" || tapline_http::is_public(address);
    WebClient::builder().resolver(names.clone()).public(is_public).build().unwrap()
}

fn to(hosts: &[String], private: bool) -> String {
    format!(
        "http = [{{ hosts = {hosts:?}, methods = ['GET', 'POST'], paths = ['/*'], private = {private} }}]"
    )
}

#[tokio::test]
async fn a02_no_name_is_looked_up_for_a_host_that_was_not_granted() {
    let server = Server::on("127.0.0.1", &[]).await;
    let names = Names::default().know("b.test", &[&["127.0.0.1"]]);
    let bench = Bench::new(&to(&["http://a.test".into()], true), client(&names));
    let url = format!("http://b.test:{}/x", server.port);
    assert_eq!(Bench::code(bench.get(&url).await), "denied");
    assert_eq!(bench.audited(), [format!("refused: request GET {url}")]);
    assert!(names.asked().is_empty() && server.seen().is_empty());
}

#[tokio::test]
async fn a05_a_name_that_changes_its_address_gets_no_further_than_the_one_that_was_checked() {
    let server = Server::on("127.0.0.1", &[("/", answer("200 OK", "here"))]).await;
    let names = Names::default().know("a.test", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let host = format!("http://a.test:{}", server.port);
    let bench = Bench::new(&to(std::slice::from_ref(&host), false), client(&names));
    assert_eq!(bench.get(&host).await.unwrap(), "here");
    assert_eq!(names.asked(), ["a.test"], "one request, one answer of the resolver");
    assert_eq!(Bench::code(bench.get(&host).await), "denied");
    assert_eq!(bench.audited().last().unwrap(), &format!("refused: request GET {host}/"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a05_one_address_that_may_not_be_reached_is_enough() {
    let server = Server::on("127.0.0.1", &[("/", answer("200 OK", "here"))]).await;
    let names = Names::default().know("a.test", &[&["127.0.0.1", "10.0.0.1"]]);
    let host = format!("http://a.test:{}", server.port);
    let bench = Bench::new(&to(std::slice::from_ref(&host), false), client(&names));
    assert_eq!(Bench::code(bench.get(&host).await), "denied");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a07_an_address_that_is_not_public_needs_a_grant_in_every_form() {
    let server = Server::on("127.0.0.1", &[("/", answer("200 OK", "here"))]).await;
    let port = server.port;
    let forms = ["127.0.0.1", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "[::1]", "a.test"];
    let hosts: Vec<_> = forms.iter().map(|form| format!("http://{form}:{port}")).collect();
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "64:ff9b::a00:1"] {
        let names = Names::default().know("a.test", &[&[address]]);
        let client = WebClient::builder().resolver(names).build().unwrap();
        let bench = Bench::new(&to(&hosts, false), client);
        for host in &hosts {
            assert_eq!(Bench::code(bench.get(host).await), "denied", "{host}");
        }
    }
    assert!(server.seen().is_empty());
    let bench = Bench::new(&to(&hosts, true), WebClient::new().unwrap());
    assert_eq!(bench.get(&format!("http://0x7f.1:{port}")).await.unwrap(), "here");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused() {
    let server =
        Server::on("127.0.0.1", &[("/x", answer("302 Found\r\nlocation: http://evil.test/", ""))]).await;
    let names = Names::default().know("a.test", &[&["127.0.0.1"]]).know("evil.test", &[&["127.0.0.1"]]);
    let host = format!("http://a.test:{}", server.port);
    let bench = Bench::new(&to(std::slice::from_ref(&host), false), client(&names));
    assert_eq!(Bench::code(bench.get(&format!("{host}/x")).await), "denied");
    assert_eq!(
        bench.audited(),
        [format!("granted: request GET {host}/x"), "refused: request GET http://evil.test/".to_owned()]
    );
    assert_eq!(names.asked(), ["a.test"]);
}

#[tokio::test]
async fn a_redirect_is_checked_anew_and_takes_no_credentials_along() {
    let other = Server::on("127.0.0.1", &[("/y", answer("200 OK", "there"))]).await;
    let location = format!("303 See Other\r\nlocation: http://b.test:{}/y", other.port);
    let inward = format!("307 Temporary Redirect\r\nlocation: http://127.0.0.2:{}/y", other.port);
    let server =
        Server::on("127.0.0.1", &[("/x", answer(&location, "")), ("/in", answer(&inward, ""))]).await;
    let names = Names::default().know("a.test", &[&["127.0.0.1"]]).know("b.test", &[&["127.0.0.1"]]);
    let host = format!("http://a.test:{}", server.port);
    let hosts =
        [host.clone(), format!("http://b.test:{}", other.port), format!("http://127.0.0.2:{}", other.port)];
    let secret = format!("secrets = [{{ name = 'key', header = 'Authorization', hosts = ['{host}'] }}]");
    let bench = Bench::new(&format!("{}\n{secret}", to(&hosts, false)), client(&names));
    let request = HttpRequest::post(format!("{host}/x")).header("Authorization", "Bearer ${secret:key}");
    let request = request.header("Cookie", "session").body("sent");
    assert_eq!(bench.send(request).await.unwrap().1, "there");
    assert!(server.seen()[0].contains("authorization: Bearer s3cret-value"));
    let there = other.seen().remove(0);
    assert!(
        there.starts_with("GET /y ") && !there.contains("s3cret") && !there.contains("session"),
        "{there}"
    );
    assert_eq!(Bench::code(bench.get(&format!("{host}/in")).await), "denied");
    assert_eq!(other.seen().len(), 1);
}

#[tokio::test]
async fn a14_a_secret_of_one_host_is_refused_towards_another_before_its_name_is_looked_up() {
    let server = Server::on("127.0.0.1", &[("/", answer("200 OK", "here"))]).await;
    let names = Names::default().know("a.test", &[&["127.0.0.1"]]).know("b.test", &[&["127.0.0.1"]]);
    let hosts = ["a", "b"].map(|name| format!("http://{name}.test:{}", server.port));
    let secret = format!("secrets = [{{ name = 'key', header = 'X-Key', hosts = ['{}'] }}]", hosts[0]);
    let bench = Bench::new(&format!("{}\n{secret}", to(&hosts, false)), client(&names));
    let with_key = |host: &str| bench.send(HttpRequest::get(host).header("X-Key", "${secret:key}"));
    assert_eq!(with_key(&hosts[0]).await.unwrap().1, "here");
    assert!(server.seen()[0].contains("x-key: s3cret-value"));
    assert_eq!(with_key(&hosts[1]).await.unwrap_err().to_failure().code(), "denied");
    assert_eq!(bench.audited().last().unwrap(), "refused: use the secret key at b.test");
    assert_eq!(names.asked(), ["a.test"]);
}

#[tokio::test]
async fn an_answer_that_would_hide_a_secret_is_refused() {
    let encoded = answer("200 OK\r\ncontent-encoding: gzip", "xx");
    let server = Server::on("127.0.0.1", &[("/", encoded)]).await;
    let host = format!("http://127.0.0.1:{}", server.port);
    let secret = format!("secrets = [{{ name = 'key', header = 'X-Key', hosts = ['{host}'] }}]");
    let grants = format!("{}\n{secret}", to(std::slice::from_ref(&host), false));
    let bench = Bench::new(&grants, client(&Names::default()));
    assert_eq!(bench.get(&host).await.unwrap(), "xx");
    assert!(server.seen()[0].contains("accept-encoding: identity"));
    let request = HttpRequest::get(&host).header("X-Key", "${secret:key}");
    assert_eq!(bench.send(request).await.unwrap_err().to_failure().code(), "invalid-response");
}

#[tokio::test]
async fn what_is_no_answer_or_has_no_end_of_headers_is_an_error() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", format!("x: {}\r\n", "y".repeat(1000)).repeat(2000));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(1000));
    let answers = [
        ("/garbage", "garbage\r\n\r\n".to_owned()),
        ("/endless", endless),
        ("/many", many),
        ("/cut", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxx".to_owned()),
        ("/nowhere", answer("302 Found\r\nlocation: http://[", "")),
    ];
    let server = Server::on("127.0.0.1", &answers).await;
    let host = format!("http://127.0.0.1:{}", server.port);
    let bench =
        Bench::new(&to(&[host.clone(), "http://127.0.0.1:1".into()], false), client(&Names::default()));
    for (path, _) in &answers {
        assert_eq!(Bench::code(bench.get(&format!("{host}{path}")).await), "invalid-response", "{path}");
    }
    assert_eq!(Bench::code(bench.get("http://127.0.0.1:1").await), "unreachable");
}
