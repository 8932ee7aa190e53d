use std::collections::BTreeMap;
use std::sync::Arc;

use super::rate::RateLimit;

/// How often providers may be asked, by the names under which they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProviderRates(BTreeMap<Arc<str>, RateLimit>);

impl ProviderRates {
    pub(crate) fn of(&self, provider: &str) -> Option<&RateLimit> {
        self.0.get(provider)
    }
}

impl FromIterator<(Arc<str>, RateLimit)> for ProviderRates {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, RateLimit)>>(rates: I) -> Self {
        Self(rates.into_iter().collect())
    }
}
