use super::{ContextGrants, EventGrants, FolderGrant, Grants, MachineFolder};
use crate::path::PathSet;
use crate::topic::TopicSet;

impl Grants {
    /// What these allow and others do not. Denials play no part.
    #[must_use]
    pub fn beyond(&self, others: &Self) -> Self {
        let is_new_folder = |folder: &&FolderGrant| !others.fs.iter().any(|other| other.includes(folder));
        Self {
            context: ContextGrants {
                read: paths(&self.context.read, &others.context.read),
                write: paths(&self.context.write, &others.context.write),
            },
            call: {
                let is_new = |call: &&_| !others.call.iter().any(|other| other.includes(call));
                self.call.iter().filter(is_new).cloned().collect()
            },
            events: EventGrants {
                publish: topics(&self.events.publish, &others.events.publish),
                subscribe: topics(&self.events.subscribe, &others.events.subscribe),
            },
            fs: self.fs.iter().filter(is_new_folder).cloned().collect(),
            clock: self.clock.filter(|clock| Some(*clock) > others.clock),
            random: self.random && !others.random,
            network: self.network && !others.network,
            processes: self.processes && !others.processes,
            env: self.env.difference(&others.env).cloned().collect(),
            folders: {
                let is_new = |folder: &&MachineFolder| !folder.is_within(&others.folders);
                self.folders.iter().filter(is_new).cloned().collect()
            },
            http: self.http.iter().filter(|grant| !grant.is_within(&others.http)).cloned().collect(),
            secrets: self.secrets.iter().filter(|grant| !grant.is_within(&others.secrets)).cloned().collect(),
            denied: None,
        }
    }
}

fn paths(these: &PathSet, others: &PathSet) -> PathSet {
    these.without(|path| others.covers(path))
}

fn topics(these: &TopicSet, others: &TopicSet) -> TopicSet {
    let mut beyond = TopicSet::default();
    let new = these.patterns().filter(|topics| !others.covers(topics));
    new.for_each(|topics| beyond.insert(topics.clone()));
    beyond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &str, before: &str, more: &str) {
        let grants = |text: &str| -> Grants { toml::from_str(text).unwrap() };
        assert_eq!(grants(asked).beyond(&grants(before)), grants(more));
    }

    #[test]
    fn what_is_narrower_than_before_is_no_more() {
        check("call = ['provider/echo', 'counter']", "call = ['provider/*']", "call = ['counter']");
        let before = "context = { read = ['input'] }";
        check("context = { read = ['input.a', 'output'] }", before, "context = { read = ['output'] }");
        let scratch = |mode: &str| format!("fs = [{{ path = 'scratch:', mode = '{mode}', why = 'x' }}]");
        check(&scratch("r"), "fs = [{ path = 'scratch:', mode = 'rw' }]", "");
        check(&scratch("rw"), "fs = [{ path = 'scratch:', mode = 'rw', max = '1KiB' }]", &scratch("rw"));
        check("clock = 'coarse'\nrandom = true", "clock = 'precise'", "random = true");
        check("clock = 'precise'", "clock = 'coarse'", "clock = 'precise'");
        let http = |hosts: &str| {
            format!("http = [{{ hosts = [{hosts}], methods = ['GET'], paths = ['/*'], why = 'x' }}]")
        };
        check(&http("'a.b.example', '${config:url}'"), &http("'*.b.example', '${config:url}'"), "");
        check(
            &http("'${config:other}'"),
            &http("'*.b.example', '${config:url}'"),
            &http("'${config:other}'"),
        );
        let before = "events = { publish = ['a.*'] }";
        check("events = { publish = ['a.b', 'c'] }", before, "events = { publish = ['c'] }");
    }
}
