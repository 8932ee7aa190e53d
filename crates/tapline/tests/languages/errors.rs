use tapline::core::{METHODS, Request};
use tapline::{HookError, Host, HostBuilder, Value};
use tapline_test_kit::Foreign;

/// A host with the guest of a language, and the id of the guest.
pub(crate) async fn pal(language: &str, settings: impl FnOnce(HostBuilder) -> HostBuilder) -> Option<Pal> {
    let id = format!("pal-{language}");
    let [guest] = Foreign::find_all([&id])?;
    let host = settings(Host::builder().runtime(guest.runtime())).build();
    host.load(guest.load()).await.unwrap();
    Some(Pal { host, id })
}

pub(crate) struct Pal {
    pub(crate) host: Host,
    id: String,
}

impl Pal {
    pub(crate) async fn ask(&self, method: &str, request: Value) -> Result<Value, HookError> {
        self.host.request(Request::new(METHODS, self.id.as_str(), method, request)).await
    }

    /// The error that a method ends with.
    pub(crate) async fn error(&self, method: &str) -> HookError {
        self.ask(method, Value::Null).await.unwrap_err()
    }

    /// Fails unless the plugin works.
    pub(crate) async fn assert_well(&self) {
        let sum = self.ask("add", Value::from_json("[1, 2]").unwrap()).await.unwrap();
        assert_eq!(sum.to_json(), "3");
    }
}

#[tokio::test]
async fn an_error_that_is_returned_on_purpose_comes_as_it_is() {
    for language in ["python", "javascript"] {
        let Some(pal) = pal(language, |host| host).await else { return };
        let failure = pal.error("fail").await.to_failure();
        assert_eq!((failure.code(), failure.message()), ("on-purpose", "as it was asked to"));
        assert_eq!(failure.details().to_json(), r#"{"why":"a test"}"#);
        pal.assert_well().await;
    }
}

#[tokio::test]
async fn an_exception_ends_the_instance_and_says_in_which_line() {
    let says =
        [("python", "KeyError: 'missing'", "plugin.py\", line "), ("javascript", "TypeError", "(plugin.js:")];
    for (language, what, place) in says {
        let Some(pal) = pal(language, |host| host).await else { return };
        let error = pal.error("mistake").await.to_string();
        assert!(error.contains(what) && error.contains(place), "{error}");
        assert!(!error.contains("/tapline/"), "{error}");
        pal.assert_well().await;
    }
}

#[tokio::test]
async fn what_a_sandbox_has_not_is_an_error_that_says_what_to_use() {
    for language in ["python", "javascript"] {
        let Some(pal) = pal(language, |host| host).await else { return };
        let failure = pal.error("time").await.to_failure();
        assert_eq!(failure.code(), "not-available");
        assert!(failure.message().contains("use `context.now()`"), "{failure:?}");
        pal.assert_well().await;
    }
}
