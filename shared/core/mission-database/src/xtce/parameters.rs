//! Parameters: a name, a description, and a type that gives the rest.

use super::declarations::Declarations;
use super::document::{Source, description, elements};
use super::types::CompiledType;
use crate::plan::Field;
use crate::{Parameter, XtceError};

/// Parameters in document order, and how each is read; `None` where its type has no encoding.
pub(super) type CompiledParameters = (Vec<Parameter>, Vec<Option<Field>>);

pub(super) fn compile(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    types: &[CompiledType],
) -> Result<CompiledParameters, XtceError> {
    let mut parameters = Vec::with_capacity(declarations.parameters.all.len());
    let mut fields = Vec::with_capacity(declarations.parameters.all.len());
    for declared in &declarations.parameters.all {
        let node = declared.node;
        let found = declarations.types.resolve(source, node, "parameterTypeRef", &declared.system)?;
        let its_type = &types[found];
        for child in elements(node) {
            source.pass_over(child);
        }
        parameters.push(Parameter {
            name: declared.path(),
            short_name: declared.name.to_owned(),
            description: description(node),
            unit: its_type.unit.clone(),
            kind: its_type.kind.clone(),
            calibrated: its_type.is_calibrated,
        });
        fields.push(its_type.field);
    }
    Ok((parameters, fields))
}
