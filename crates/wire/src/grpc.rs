//! gRPC: framing by tonic, errors as trailers alone.

use axum::body::Body;
use bytes::{Buf, BufMut, Bytes};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tokenrig_decision::Refused;
use tokenrig_protos::{google::rpc, pool, prost::Message, prost_reflect::DynamicMessage, prost_types::Any};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, UnaryService},
};

use crate::edge::{Edge, MAX_BODY};

/// Whether a request is one of gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Messages as they are.
#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// One method, as tonic calls it.
struct Unary {
    edge: Edge,
    path: String,
}

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let edge = self.edge.clone();
        let path = std::mem::take(&mut self.path);
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let answer = edge.grpc_call(&path, metadata.into_headers(), message).await;
            answer.map(tonic::Response::new).map_err(|refused| status(&refused))
        })
    }
}

/// Answers a gRPC request.
pub(crate) async fn answer(edge: Edge, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let mut grpc = Grpc::new(Raw).apply_max_message_size_config(Some(MAX_BODY), None);
    grpc.unary(Unary { edge, path }, request).await.map(Body::new)
}

/// A refusal as a status; its details go along as a google.rpc.Status.
fn status(refused: &Refused) -> Status {
    let code = refused.code().grpc();
    let message = refused.message();
    let details: Vec<Any> = refused.details().iter().filter_map(pack).collect();
    if details.is_empty() {
        return Status::new(Code::from_i32(code), message);
    }
    let whole = rpc::Status { code, message: message.clone(), details };
    Status::with_details(Code::from_i32(code), message, Bytes::from(whole.encode_to_vec()))
}

/// A detail in proto3 JSON as an `Any`.
fn pack(detail: &serde_json::Value) -> Option<Any> {
    let mut fields = detail.as_object()?.clone();
    let type_url = fields.remove("@type")?.as_str()?.to_owned();
    let described = pool().get_message_by_name(type_url.rsplit('/').next()?)?;
    let message = DynamicMessage::deserialize(described, serde_json::Value::Object(fields)).ok()?;
    Some(Any { type_url, value: message.encode_to_vec() })
}
