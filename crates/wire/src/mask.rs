//! Field masks: which fields of an update are written.

use tokenrig_protos::{
    pool,
    prost::{Message, Name},
    prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value},
    prost_types::FieldMask,
};

/// A path of a mask that names no field of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPath(pub String);

impl std::fmt::Display for UnknownPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the message has no field `{}`", self.0)
    }
}

impl std::error::Error for UnknownPath {}

/// Writes the fields that the mask names from `update` into `current`; a field that `update` lacks is cleared.
///
/// `*` is all of `update`. Without a mask, or with an empty one, every field that `update` has is written (AIP-134). Paths are
/// in proto spelling and may go into messages (`oidc.issuer_uri`) and into maps by key (`labels.team`).
///
/// # Errors
///
/// [`UnknownPath`]: nothing was written.
pub fn merge<M>(current: &M, update: &M, mask: Option<&FieldMask>) -> Result<M, UnknownPath>
where
    M: Message + Name + Default + Clone,
{
    let described = pool().get_message_by_name(&M::full_name()).expect("every generated message is described");
    let dynamic = |message: &M| {
        let mut dynamic = DynamicMessage::new(described.clone());
        dynamic.transcode_from(message).expect("a generated message has the form of its descriptor");
        dynamic
    };
    let (mut merged, update_fields) = (dynamic(current), dynamic(update));
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.iter().any(|path| path == "*") {
        return Ok(update.clone());
    }
    if paths.is_empty() {
        for (field, value) in update_fields.fields() {
            merged.set_field(&field, value.clone());
        }
    }
    for path in paths {
        write(&mut merged, Some(&update_fields), path).ok_or_else(|| UnknownPath(path.clone()))?;
    }
    Ok(merged.transcode_to().expect("a generated message has the form of its descriptor"))
}

fn write(into: &mut DynamicMessage, from: Option<&DynamicMessage>, path: &str) -> Option<()> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let field = into.descriptor().get_field_by_name(first)?;
    let source = from.filter(|from| from.has_field(&field)).map(|from| from.get_field(&field));
    match rest {
        None => match source {
            Some(value) => into.set_field(&field, value.into_owned()),
            None => into.clear_field(&field),
        },
        Some(key) if field.is_map() => {
            let entry = field.kind().as_message()?.map_entry_key_field();
            let key = matches!(entry.kind(), Kind::String)
                .then(|| tokenrig_protos::prost_reflect::MapKey::String(key.to_owned()))?;
            let value = source.as_deref().and_then(Value::as_map).and_then(|map| map.get(&key)).cloned();
            let map = into.get_field_mut(&field).as_map_mut()?;
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Some(rest) if !field.is_list() => {
            let inner = source.as_deref().and_then(Value::as_message);
            write(into.get_field_mut(&field).as_message_mut()?, inner, rest)?;
        }
        Some(_) => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokenrig_protos::tokenrig::iam::v1::{
        WorkloadIdentityPoolProvider as Provider, workload_identity_pool_provider as of,
    };

    use super::*;

    fn provider(issuer: &str, audiences: &[&str], department: &str) -> Provider {
        Provider {
            display_name: format!("from {issuer}"),
            attribute_mapping: BTreeMap::from([("attribute.department".to_owned(), department.to_owned())]),
            provider_config: Some(of::ProviderConfig::Oidc(of::Oidc {
                issuer_uri: issuer.to_owned(),
                allowed_audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
                ..Default::default()
            })),
            ..Default::default()
        }
    }

    fn mask(paths: &[&str]) -> Option<FieldMask> {
        Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
    }

    fn oidc(provider: &Provider) -> &of::Oidc {
        match &provider.provider_config {
            Some(of::ProviderConfig::Oidc(oidc)) => oidc,
            _ => panic!("no oidc"),
        }
    }

    #[test]
    fn a_path_writes_its_field_and_leaves_the_others() {
        let (old, new) = (provider("old", &["a"], "x"), provider("new", &[], "y"));
        let merged = merge(&old, &new, mask(&["oidc.allowed_audiences"]).as_ref()).unwrap();
        assert!(oidc(&merged).allowed_audiences.is_empty());
        assert_eq!(oidc(&merged).issuer_uri, "old");
        let merged = merge(&old, &new, mask(&["attribute_mapping.attribute.department"]).as_ref()).unwrap();
        assert_eq!(merged.attribute_mapping["attribute.department"], "y");
    }

    #[test]
    fn without_a_mask_what_is_there_is_written_and_a_star_replaces() {
        let (old, new) = (provider("old", &["a"], "x"), Provider { description: "d".into(), ..Default::default() });
        let merged = merge(&old, &new, None).unwrap();
        assert_eq!((merged.description.as_str(), merged.display_name.as_str()), ("d", "from old"));
        assert_eq!(merge(&old, &new, mask(&["*"]).as_ref()).unwrap(), new);
    }

    #[test]
    fn a_path_that_names_nothing_is_refused() {
        let old = provider("old", &[], "x");
        for path in ["nothing", "oidc.nothing", "display_name.x", ""] {
            assert_eq!(merge(&old, &old, mask(&[path]).as_ref()), Err(UnknownPath(path.to_owned())));
        }
    }
}
