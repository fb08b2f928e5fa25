//! Long-running operations. Those of a rig are done when they are first told of.

use tokenrig_protos::{
    google::longrunning::{Operation, operation},
    prost::Name,
    prost_types::Any,
};

/// An operation that is done: its name, what it tells about itself, and its result.
pub fn done(name: impl Into<String>, metadata: Option<Any>, response: &impl Name) -> Operation {
    Operation { name: name.into(), metadata, done: true, result: Some(operation::Result::Response(pack(response))) }
}

/// A message with its type.
pub fn pack<M: Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}
