use proptest::prelude::*;
use url::Url;

use super::*;

fn requires(text: &str) -> Result<Grants, toml::de::Error> {
    toml::from_str(text)
}

#[test]
fn an_intersection_of_calls_keeps_the_narrower_of_two_patterns() {
    let calls = |patterns: &[&str]| patterns.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();
    let (wide, narrow) = (calls(&["provider/*", "counter"]), calls(&["provider/echo", "node/x", "counter"]));
    assert_eq!(narrower(&wide, &narrow), calls(&["counter", "provider/echo"]));
    assert_eq!(narrower(&narrow, &wide), calls(&["provider/echo", "counter"]));
    assert!(narrower(&wide, &[]).is_empty());
}

#[test]
fn an_empty_list_or_an_absent_one_is_no_grant_for_everything() {
    let http = |text: &str| requires(&format!("http = [{{ {text} }}]"));
    assert!(http("hosts = ['a.example'], methods = ['GET'], paths = ['/*']").is_ok());
    for text in [
        "hosts = [], methods = ['GET'], paths = ['/*']",
        "hosts = ['a.example'], methods = [], paths = ['/*']",
        "hosts = ['a.example'], methods = ['GET'], paths = []",
        "hosts = ['a.example'], methods = ['GET']",
        "hosts = ['a.example'], methods = ['*'], paths = ['/*']",
        "hosts = ['a.example'], methods = ['GET'], paths = ['/*'], all = true",
    ] {
        assert!(http(text).is_err(), "{text}");
    }
    assert!(requires("secrets = [{ name = 'k', header = 'Authorization', hosts = [] }]").is_err());
    assert!(requires("secrets = [{ name = 'k', header = 'Host', hosts = ['a.example'] }]").is_err());
}

#[test]
fn hosts_of_the_configuration_are_looked_up_once_and_grant_nothing_before() {
    let asked = requires(
        "http = [{ hosts = ['${config:base_url}'], methods = ['GET'], paths = ['/*'] }]\n\
         secrets = [{ name = 'k', header = 'X-Key', hosts = ['a.example', '${config:base_url}'] }]",
    )
    .unwrap();
    let url: Url = "https://b.example/x".parse().unwrap();
    let key = "x-key".parse().unwrap();
    assert_eq!(asked.check_http(HttpMethod::Get, &url), Err(NOT_GRANTED));
    let config = Value::from_iter([("base_url", "https://b.example/v1".into())]);
    let resolved = asked.resolved(&config).unwrap();
    assert_eq!(resolved.check_http(HttpMethod::Get, &url), Ok(Reach::Public));
    assert!(resolved.check_secret("k", &key, &url).is_ok());
    let error = asked.resolved(&Value::Null).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`requires` names the host of `base_url` in the configuration, and there is none"
    );
}

#[test]
fn a_secret_of_the_configuration_is_named_there_as_the_whole_of_a_text_or_not_at_all() {
    let asked =
        requires("secrets = [{ name = '${config:llm.key}', header = 'X-Key', hosts = ['a.example'] }]");
    let asked = asked.unwrap();
    let url: Url = "https://a.example/".parse().unwrap();
    let key = "x-key".parse().unwrap();
    let with =
        |value: Value| asked.resolved(&Value::from_iter([("llm", Value::from_iter([("key", value)]))]));
    let resolved = with("${secret:my_key-1}".into()).unwrap();
    assert!(resolved.check_secret("my_key-1", &key, &url).is_ok());
    assert!(resolved.check_secret("${config:llm.key}", &key, &url).is_err());
    for none in [asked.resolved(&Value::Null).unwrap(), with(Value::Null).unwrap()] {
        assert_eq!(none.secrets, []);
    }
    let pasted = [
        "hunter2",
        "Bearer ${secret:a}",
        "${secret:a}${secret:b}",
        "${secret:}",
        "${secret:a b}",
        "${secret:a",
    ];
    for text in pasted.map(Value::from).into_iter().chain([Value::from(1_i64), Value::Bool(true)]) {
        let error = with(text).unwrap_err().to_string();
        assert_eq!(
            error,
            "`requires` names the secret of `llm.key` in the configuration, and what stands there names none: write `${secret:name}`, with a name of your own"
        );
    }
    for name in ["", "a b", "${config:}", "${config:a..b}", "${env:KEY}", "${secret:a}"] {
        let text = format!("secrets = [{{ name = '{name}', header = 'X-Key', hosts = ['a.example'] }}]");
        assert!(requires(&text).is_err(), "{name}");
    }
}

#[test]
fn what_several_grants_allow_together_is_within_them() {
    let grants = |text: &str| requires(text).unwrap().http;
    let policy = grants(
        "http = [{ hosts = ['*.a.example'], methods = ['GET'], paths = ['/v1/*'] },
                 { hosts = ['b.example'], methods = ['GET', 'POST'], paths = ['/*'], private = true }]",
    );
    let asked = |text: &str| grants(&format!("http = [{{ {text} }}]")).remove(0);
    assert!(
        asked("hosts = ['x.a.example', 'b.example'], methods = ['GET'], paths = ['/v1/s']")
            .is_within(&policy)
    );
    assert!(!asked("hosts = ['x.a.example'], methods = ['GET'], paths = ['/*']").is_within(&policy));
    assert!(!asked("hosts = ['a.example'], methods = ['GET'], paths = ['/v1/s']").is_within(&policy));
    assert!(!asked("hosts = ['x.a.example'], methods = ['POST'], paths = ['/v1/s']").is_within(&policy));
    assert!(
        asked("hosts = ['b.example'], methods = ['POST'], paths = ['/*'], private = true").is_within(&policy)
    );
    assert!(
        !asked("hosts = ['x.a.example'], methods = ['GET'], paths = ['/v1/s'], private = true")
            .is_within(&policy)
    );
}

const HOSTS: [&str; 6] = [
    "a.example.com",
    "*.example.com",
    "*.a.example.com",
    "http://a.example.com",
    "b.example.com:81",
    "example.com",
];
const PATHS: [&str; 8] = ["/*", "/v1/*", "/v1/*/x", "/v1/a/*", "/*/a/*", "/v1/a/x", "/v1", "/*/*/x"];
const METHODS: [&str; 2] = ["GET", "POST"];

/// Some of these, and at least one.
fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(of, 1..=of.len().min(3))
}

fn grants() -> impl Strategy<Value = Grants> {
    let http = (some(&HOSTS), some(&METHODS), some(&PATHS), any::<bool>());
    let http = http.prop_map(|(hosts, methods, paths, private)| HttpGrant {
        hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
        methods: methods.iter().map(|text| text.parse().unwrap()).collect(),
        paths: paths.iter().map(|text| text.parse().unwrap()).collect(),
        private,
        why: String::new(),
    });
    let secret = (prop::sample::select(vec!["k", "l"]), some(&HOSTS)).prop_map(|(name, hosts)| SecretGrant {
        name: name.into(),
        header: "authorization".parse().unwrap(),
        hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
        why: String::new(),
    });
    let http = proptest::collection::vec(http, 0..3);
    let secrets = proptest::collection::vec(secret, 0..3);
    (http, secrets).prop_map(|(http, secrets)| Grants { http, secrets, ..Grants::default() })
}

fn urls() -> impl Strategy<Value = Url> {
    let origin = prop::sample::select(vec![
        "https://a.example.com",
        "https://b.a.example.com",
        "https://example.com",
        "http://a.example.com",
        "https://b.example.com:81",
    ]);
    let path =
        prop::sample::select(vec!["/", "/v1", "/v1/", "/v1/a", "/v1/a/x", "/v1//x", "/v2/a/b", "/v1/b/x"]);
    (origin, path).prop_map(|(origin, path)| format!("{origin}{path}").parse().unwrap())
}

proptest! {
    #[test]
    fn an_intersection_allows_what_both_allow(one in grants(), other in grants(), url in urls()) {
        let both = one.intersection(&other);
        for method in [HttpMethod::Get, HttpMethod::Post] {
            let expected = one.check_http(method, &url).ok().zip(other.check_http(method, &url).ok());
            prop_assert_eq!(both.check_http(method, &url).ok(), expected.map(|(one, other)| one.min(other)));
        }
        let header = "authorization".parse().unwrap();
        for name in ["k", "l"] {
            let expected = one.check_secret(name, &header, &url).is_ok() && other.check_secret(name, &header, &url).is_ok();
            prop_assert_eq!(both.check_secret(name, &header, &url).is_ok(), expected);
        }
    }

    #[test]
    fn what_is_within_grants_allows_no_more(one in grants(), other in grants(), url in urls()) {
        for grant in &one.http {
            if grant.is_within(&other.http) {
                let alone = Grants { http: vec![grant.clone()], ..Grants::default() };
                prop_assert!(alone.check_http(HttpMethod::Get, &url).ok() <= other.check_http(HttpMethod::Get, &url).ok());
            }
        }
    }
}
