use crate::grants::Denied;
use crate::id::PluginId;

/// A privileged act of a plugin, or the refusal of one: what a line of the audit says. It holds no payload.
///
/// Privileged is what reaches beyond the call that a plugin answers and needs a grant: calls, events, http requests,
/// secrets, files. What a plugin reads and writes of a call's context is told where it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act<'a> {
    /// Who acts.
    pub plugin: &'a PluginId,
    /// What it does: `call`, `publish`, `request`, `use the secret`; `read`, `list`, `write`, `append to`, `remove`.
    pub action: &'static str,
    /// What it does it to.
    pub target: &'a str,
    /// Why it may not; `None` when it may.
    pub refusal: Option<&'a str>,
}

impl<'a> Act<'a> {
    /// An act that is granted.
    #[must_use]
    pub const fn granted(plugin: &'a PluginId, action: &'static str, target: &'a str) -> Self {
        Self { plugin, action, target, refusal: None }
    }

    /// An act that was refused to a plugin.
    #[must_use]
    pub fn refused(plugin: &'a PluginId, denied: &'a Denied) -> Self {
        Self { plugin, action: denied.action, target: &denied.target, refusal: Some(denied.reason) }
    }
}
