use std::collections::BTreeMap;
use std::sync::Arc;

use super::schema::has_template;
use crate::definition::{Definition, Draft, DraftStep, InputError, Spanned};
use crate::diagnostic::{Code, Diagnostic};
use crate::suggest::did_you_mean_or_list;

/// The pipelines in other files, each compiled once; nothing for one that has mistakes.
pub(super) type Parts = BTreeMap<Arc<str>, Option<Arc<Definition>>>;

/// Whether a part is given what it needs, as far as that can be seen in the file.
pub(super) fn check_inputs(
    draft: &Draft,
    part: &Draft,
    step: &DraftStep,
    file: &Spanned<Arc<str>>,
) -> Vec<Diagnostic> {
    let source = draft.source();
    let invalid = |range, message: String| Diagnostic::error(source, Code::InvalidConfig, range, message);
    let with = step.with.as_ref().and_then(|entry| entry.element.as_mapping());
    let mut found = Vec::new();
    for (name, entry) in with.into_iter().flat_map(|with| with.iter()) {
        let Some(declaration) = part.inputs.get(name) else {
            let hint = did_you_mean_or_list(name, part.inputs.keys().map(|name| &**name), "it has");
            let message = format!("`{}` has no input `{name}`", file.value);
            found.push(invalid(&entry.key, message).maybe_hint(hint));
            continue;
        };
        if !has_template(&entry.element) {
            let mistakes = declaration.mistakes(name, &entry.element.to_value());
            found
                .extend(mistakes.iter().map(|mistake: &InputError| invalid(&entry.key, mistake.to_string())));
        }
    }
    let is_given = |name: &Arc<str>| with.is_some_and(|with| with.contains_key(name));
    let missing = part.inputs.iter().filter(|(name, input)| input.required && !is_given(name));
    found.extend(missing.map(|(name, _)| {
        let message = format!("`{}` needs the input `{name}`", file.value);
        invalid(&file.range, message).hint(format!("give it under `with`: `with: {{ {name}: ... }}`"))
    }));
    found
}
