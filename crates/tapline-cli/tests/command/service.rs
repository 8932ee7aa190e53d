//! `tapline serve` as a service: the files of its page, and nginx in front of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::docs::blocks;
use crate::support::{Workplace, repository};

const PAGE: &str = "docs/serve-as-a-service.md";
/// The block `http` around the example, for an nginx that is no service.
const AROUND: &str = "daemon off;\npid FOLDER/pid;\nerror_log stderr;\nevents {}\nhttp {\n    access_log off;\n    client_body_temp_path FOLDER/body;\n    proxy_temp_path FOLDER/proxy;\n    fastcgi_temp_path FOLDER/fastcgi;\n    uwsgi_temp_path FOLDER/uwsgi;\n    scgi_temp_path FOLDER/scgi;\n    include FOLDER/site.conf;\n}\n";
const QUICK: &str = "name: quick
inputs: { n: { type: integer, required: true } }
nodes:
  twice: { type: transform, with: { value: { n: \"{{ inputs.n }}\" }, set: { n: 'item.n * 2' } } }
outputs: { n: \"{{ twice.value.n }}\" }
";
/// The second of its items has to wait for longer than any test.
const HELD: &str = "name: held
nodes:
  all:
    type: transform
    map: { over: [1, 2], as: n }
    rate_limit: { calls: 1, per: 1h }
    with: { value: { n: \"{{ n }}\" } }
";

/// A process that ends with the test.
struct Going(Child);

impl Drop for Going {
    fn drop(&mut self) {
        // Whoever is killed takes no processes of its own along.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "they are programs of others")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// Whether programs can be started here.
fn are_there(programs: &[(&str, &str)]) -> bool {
    let is_missing = |(program, version): &&(&str, &str)| command(program).arg(version).output().is_err();
    let missing = programs.iter().find(is_missing);
    if let Some((program, _)) = missing {
        println!("skipped: `{program}` is not installed");
    }
    missing.is_none()
}

fn example(name: &str) -> String {
    fs::read_to_string(repository().join("examples/serve").join(name)).unwrap()
}

/// Replaces text that has to be there.
#[track_caller]
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old} is not in\n{text}");
    text.replace(old, new)
}

/// Starts a server, and says where it listens.
fn serve(workplace: &Workplace) -> (Going, String) {
    let mut command = workplace.going();
    command.args(["serve", "quick.yaml", "held.yaml", "--listen", "127.0.0.1:0", "--drain", "0s"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let server = Going(child);
    let mut lines = said.lines().map(Result::unwrap).filter(|line| line.starts_with("serving "));
    let line = lines.next().unwrap();
    let address = line.split_once("http://").unwrap().1.split(';').next().unwrap();
    (server, address.to_owned())
}

/// Starts nginx as the example has it, and says at which port.
fn nginx(workplace: &Workplace, server: &str) -> (Going, u16) {
    let folder = workplace.path("nginx").display().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = replaced(&example("nginx.conf"), "127.0.0.1:7878", server);
    let site = replaced(&site, "listen 443", &format!("listen 127.0.0.1:{port}"));
    workplace.write("nginx/site.conf", replaced(&site, "/etc/ssl/tapline", &folder));
    workplace.write("nginx/nginx.conf", AROUND.replace("FOLDER", &folder));
    certificate(workplace);
    // It takes over a socket that is open, so nobody has to wait until it listens.
    listener.set_nonblocking(true).unwrap();
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).unwrap();
    let mut nginx = command("nginx");
    nginx.env("NGINX", format!("{};", listener.as_raw_fd()));
    nginx.args(["-p", &folder, "-c", "nginx.conf"]);
    (Going(nginx.spawn().unwrap()), port)
}

/// Makes a certificate that vouches for itself.
fn certificate(workplace: &Workplace) {
    let mut openssl = command("openssl");
    openssl.args("req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=tapline.example".split(' '));
    openssl.args(["-addext", "subjectAltName=DNS:tapline.example"]);
    openssl.arg("-keyout").arg(workplace.path("nginx/key.pem"));
    openssl.arg("-out").arg(workplace.path("nginx/certificate.pem"));
    assert!(openssl.stderr(Stdio::null()).status().unwrap().success());
}

/// A request through nginx, with more arguments of curl.
fn curl(workplace: &Workplace, port: u16, path: &str, more: &[&str]) -> Command {
    let token = workplace.read(".tapline/token");
    workplace.write("header", format!("Authorization: Bearer {token}"));
    let mut curl = command("curl");
    curl.args(["-sSN", "-H", "@header", "--cacert", "nginx/certificate.pem", "--noproxy", "*"]);
    curl.args(["--resolve", &format!("tapline.example:{port}:127.0.0.1")]);
    curl.arg(format!("https://tapline.example:{port}{path}")).args(more);
    curl.current_dir(workplace.path("."));
    curl
}

/// The answer to a request through nginx.
#[track_caller]
fn asked(workplace: &Workplace, port: u16, path: &str, more: &[&str]) -> Value {
    let output = curl(workplace, port, path, more).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_page_shows_the_files_of_the_example() {
    for (language, file) in [("nginx", "nginx.conf"), ("ini", "tapline.service")] {
        assert_eq!(blocks(PAGE, language)[0], example(file), "{PAGE} does not show {file}");
    }
}

#[test]
fn systemd_finds_no_mistake_in_the_unit() {
    if !are_there(&[("systemd-analyze", "--version")]) {
        return;
    }
    let program = assert_cmd::cargo::cargo_bin!("tapline").display().to_string();
    let workplace = Workplace::new();
    let unit = replaced(&example("tapline.service"), "/usr/local/bin/tapline", &program);
    workplace.write("tapline.service", unit);
    let unit = workplace.path("tapline.service");
    let output = command("systemd-analyze").arg("verify").arg(unit).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("tapline.service:"), "{told}");
}

#[test]
fn runs_and_their_events_come_through_nginx_as_they_happen() {
    if !are_there(&[("nginx", "-v"), ("openssl", "version"), ("curl", "--version")]) {
        return;
    }
    let workplace = Workplace::new();
    workplace.write("quick.yaml", QUICK);
    workplace.write("held.yaml", HELD);
    let (_server, address) = serve(&workplace);
    let (_nginx, port) = nginx(&workplace, &address);

    let new = ["--json", r#"{ "pipeline": "quick", "inputs": { "n": 21 } }"#];
    let run = asked(&workplace, port, "/v1/runs?wait=true", &new);
    assert_eq!(run["outputs"], json!({ "n": 42 }), "{run}");

    let run = asked(&workplace, port, "/v1/runs", &["--json", r#"{ "pipeline": "held" }"#]);
    let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
    let mut following = curl(&workplace, port, &format!("{path}/events"), &[]);
    let mut following = Going(following.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(following.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The run has not ended, so who reads this has read it as it happened.
    assert!(lines.any(|line| line == "event: progress"));
    let ended = asked(&workplace, port, &format!("{path}/cancel"), &["-X", "POST"]);
    assert_eq!(ended["status"], "interrupted", "{ended}");
    assert!(lines.any(|line| line == "event: run-finished"));
}
