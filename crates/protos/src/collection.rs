//! Collections of resources, derived from their create methods: what a given file may hold.

use std::collections::HashMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::method::{Method, keep};

/// A collection in which something can be created, for example `run.services`.
#[derive(Debug)]
pub struct Collection {
    /// The name in a given file: the short ids of its methods without their last part.
    pub name: &'static str,
    /// `create`.
    pub create: &'static Method,
    /// `get`.
    pub get: Option<&'static Method>,
    /// `list`.
    pub list: Option<&'static Method>,
    /// `patch`.
    pub patch: Option<&'static Method>,
    /// `delete`.
    pub delete: Option<&'static Method>,
    /// `undelete`.
    pub undelete: Option<&'static Method>,
    /// `disable`, where that is a method and not a field.
    pub disable: Option<&'static Method>,
    /// `pause`, where what is there can be stopped for a while.
    pub pause: Option<&'static Method>,
    /// `upload`, where a resource can also be brought along.
    pub upload: Option<&'static Method>,
    /// `getIamPolicy`.
    pub get_iam_policy: Option<&'static Method>,
    /// `setIamPolicy`.
    pub set_iam_policy: Option<&'static Method>,
    /// The field of the create request that names the parent.
    pub parent: FieldDescriptor,
    /// The field of the create request that takes the id; absent where the resource's own name or the server gives it.
    pub id: Option<FieldDescriptor>,
    /// The field of the create request that holds the resource; absent where the request's own fields are all there is.
    pub resource: Option<FieldDescriptor>,
    /// The resource as Google returns it.
    pub message: MessageDescriptor,
    /// Whether its changes answer with a long-running operation.
    pub operation: bool,
}

pub(crate) fn collections(
    methods: &[&'static Method],
    by_short: &HashMap<&'static str, &'static Method>,
) -> Vec<Collection> {
    methods.iter().filter_map(|create| derive(create, by_short)).collect()
}

fn derive(create: &'static Method, by_short: &HashMap<&'static str, &'static Method>) -> Option<Collection> {
    let name = keep(create.short.strip_suffix(".create")?);
    let method = |last: &str| by_short.get(format!("{name}.{last}").as_str()).copied();
    let parent = create.rules.first()?.template.variables().first()?.field.as_str();
    let resource = create.input.fields().find(|field| matches!(field.kind(), Kind::Message(_)) && !field.is_list());
    let message = match &resource {
        Some(field) => field.kind().as_message().cloned()?,
        None => create.output.clone(),
    };
    let id = create
        .input
        .fields()
        .find(|field| matches!(field.kind(), Kind::String) && field.name() != parent && field.name().ends_with("_id"));
    Some(Collection {
        get: method("get"),
        list: method("list"),
        patch: method("patch"),
        delete: method("delete"),
        undelete: method("undelete"),
        disable: method("disable"),
        pause: method("pause"),
        upload: method("upload"),
        get_iam_policy: method("getIamPolicy"),
        set_iam_policy: method("setIamPolicy"),
        parent: create.input.get_field_by_name(parent)?,
        id,
        resource,
        message,
        operation: create.output.full_name() == "google.longrunning.Operation",
        name,
        create,
    })
}
