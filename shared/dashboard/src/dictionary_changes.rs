//! What a version of a dictionary changes against another one.

use mission_database::{Dictionary, Parameter};

use crate::contract::{DictionaryChanges, ParameterChange};
use crate::convert;

/// Names of one list; how many there are is told in any case.
const LISTED_MAX: usize = 1_000;

/// Which parameters come, go, and are of another kind or unit. Before the first version there is none.
pub fn dictionary_changes(before: Option<&Dictionary>, after: &Dictionary) -> DictionaryChanges {
    let parameters_before = before.map(Dictionary::parameters).unwrap_or_default();
    let known = |name: &str| before.and_then(|before| Some(before.parameter(before.find(name)?)));
    let names = |parameters: &[Parameter], is_wanted: &dyn Fn(&str) -> bool| {
        let wanted = parameters.iter().filter(|parameter| is_wanted(&parameter.name));
        let mut names: Vec<String> = wanted.map(|parameter| parameter.name.clone()).collect();
        names.sort_unstable();
        names
    };
    let mut added = names(after.parameters(), &|name| known(name).is_none());
    let mut removed = names(parameters_before, &|name| after.find(name).is_none());
    let pairs = after.parameters().iter().filter_map(|parameter| Some((known(&parameter.name)?, parameter)));
    let mut changed: Vec<ParameterChange> = pairs.filter_map(|(old, new)| change(old, new)).collect();
    changed.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let (added_count, removed_count, changed_count) = (added.len(), removed.len(), changed.len());
    added.truncate(LISTED_MAX);
    removed.truncate(LISTED_MAX);
    changed.truncate(LISTED_MAX);
    DictionaryChanges {
        parameters_before: parameters_before.len(),
        parameters_after: after.parameters().len(),
        added,
        added_count,
        removed,
        removed_count,
        changed,
        changed_count,
    }
}

fn change(old: &Parameter, new: &Parameter) -> Option<ParameterChange> {
    let (was, is) = (convert::parameter(old), convert::parameter(new));
    (was.kind != is.kind || was.unit != is.unit).then_some(ParameterChange {
        name: is.name,
        kind_before: was.kind,
        kind_after: is.kind,
        unit_before: was.unit,
        unit_after: is.unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ParameterKind;

    fn dictionary(parameters: &[(&str, &str)]) -> Dictionary {
        let declared: String = parameters
            .iter()
            .map(|(name, kind)| format!(r#"<Parameter name="{name}" parameterTypeRef="{kind}"/>"#))
            .collect();
        let entries: String = parameters
            .iter()
            .map(|(name, _)| format!(r#"<ParameterRefEntry parameterRef="{name}"/>"#))
            .collect();
        let xtce = format!(
            r#"<SpaceSystem name="D"><TelemetryMetaData><ParameterTypeSet>
            <IntegerParameterType name="Count"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
            <IntegerParameterType name="Volt"><UnitSet><Unit>V</Unit></UnitSet>
            <IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
            <FloatParameterType name="Float"><FloatDataEncoding sizeInBits="32"/></FloatParameterType>
            </ParameterTypeSet><ParameterSet>{declared}</ParameterSet>
            <ContainerSet><SequenceContainer name="C"><EntryList>{entries}</EntryList></SequenceContainer>
            </ContainerSet></TelemetryMetaData></SpaceSystem>"#
        );
        Dictionary::from_xtce("d.xml", &xtce).expect("loads")
    }

    #[test]
    fn parameters_that_come_go_and_change_their_kind_or_unit_are_told_by_name() {
        let before = dictionary(&[("stays", "Count"), ("goes", "Count"), ("turns", "Count"), ("u", "Count")]);
        let after = dictionary(&[("turns", "Float"), ("new", "Count"), ("stays", "Count"), ("u", "Volt")]);
        let changes = dictionary_changes(Some(&before), &after);
        assert_eq!((changes.added, changes.added_count), (vec!["/D/new".to_owned()], 1));
        assert_eq!((changes.removed, changes.removed_count), (vec!["/D/goes".to_owned()], 1));
        assert_eq!((changes.parameters_before, changes.parameters_after), (4, 4));
        let changed: Vec<_> = changes.changed.iter().map(|change| change.name.as_str()).collect();
        assert_eq!((changed, changes.changed_count), (vec!["/D/turns", "/D/u"], 2));
        let kinds = (changes.changed[0].kind_before, changes.changed[0].kind_after);
        assert_eq!(kinds, (ParameterKind::Integer, ParameterKind::Float));
        assert_eq!(changes.changed[1].unit_after.as_deref(), Some("V"));
    }

    #[test]
    fn long_lists_end_and_say_how_long_they_are() {
        let many: Vec<String> = (0..1_200).map(|number| format!("p{number:04}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "Count")).collect();
        let changes = dictionary_changes(None, &dictionary(&many));
        assert_eq!((changes.added.len(), changes.added_count, changes.parameters_before), (1_000, 1_200, 0));
        assert_eq!(changes.added.last().map(String::as_str), Some("/D/p0999"));
    }
}
