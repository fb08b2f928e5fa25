//! Methods and who serves them: bytes in, bytes out, the same for both wires.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
    future::{Future, Ready, ready},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    Method,
    prost::{Message, Name},
    table,
};

use crate::{call::Call, refusals};

/// One method's implementation with its message types forgotten.
pub(crate) type Handler = Arc<dyn Fn(Call, Bytes) -> BoxFuture<'static, Result<Bytes, Refused>> + Send + Sync>;

/// The methods that a service plays.
#[derive(Default, Clone)]
pub struct Api {
    pub(crate) handlers: BTreeMap<&'static str, (&'static Method, Handler)>,
}

/// A method that waits for nothing, as [`Api::on`] takes it: a plain function of the service.
///
/// ```
/// use tokenrig_decision::Refused;
/// use tokenrig_protos::google::iam::credentials::v1::{SignBlobRequest, SignBlobResponse};
/// use tokenrig_wire::{Api, Call, with};
///
/// #[derive(Clone)]
/// struct Signer;
///
/// impl Signer {
///     fn sign_blob(&self, _: &Call, request: SignBlobRequest) -> Result<SignBlobResponse, Refused> {
///         Ok(SignBlobResponse { key_id: "k".into(), signed_blob: request.payload })
///     }
/// }
///
/// let api = Api::new().on("iamcredentials.projects.serviceAccounts.signBlob", with(&Signer, Signer::sign_blob));
/// assert_eq!(api.methods().count(), 1);
/// ```
pub fn with<Service, Request, Response>(
    service: &Service,
    method: fn(&Service, &Call, Request) -> Result<Response, Refused>,
) -> impl Fn(Call, Request) -> Ready<Result<Response, Refused>> + Send + Sync + 'static
where
    Service: Clone + Send + Sync + 'static,
    Request: 'static,
    Response: 'static,
{
    let service = service.clone();
    move |call, request| ready(method(&service, &call, request))
}

impl Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

impl Api {
    /// No methods.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays the method of this discovery id.
    ///
    /// # Panics
    ///
    /// The table has no such method, it has other messages, or somebody plays it already: defects of the service.
    #[must_use]
    pub fn on<Request, Response, Work>(
        mut self,
        id: &str,
        handler: impl Fn(Call, Request) -> Work + Send + Sync + 'static,
    ) -> Self
    where
        Request: Message + Name + Default + 'static,
        Response: Message + Name + 'static,
        Work: Future<Output = Result<Response, Refused>> + Send + 'static,
    {
        let method = table().by_id(id).unwrap_or_else(|| panic!("the table has no method `{id}`"));
        assert_eq!(method.input.full_name(), Request::full_name(), "the request of `{id}`");
        assert_eq!(method.output.full_name(), Response::full_name(), "the answer of `{id}`");
        let erased: Handler = Arc::new(move |call: Call, bytes: Bytes| match Request::decode(bytes) {
            Ok(request) => {
                let work = handler(call, request);
                async move { work.await.map(|response| Bytes::from(response.encode_to_vec())) }.boxed()
            }
            Err(_) => {
                let check = Check::named("request").holds(false);
                let refused =
                    call.check(check.or_refuse(&refusals::GRPC_MESSAGE_MALFORMED, "api-grpc-message-malformed"));
                async move { refused.map(|()| Bytes::new()) }.boxed()
            }
        });
        let before = self.handlers.insert(method.id, (method, erased));
        assert!(before.is_none(), "`{id}` is played twice");
        self
    }

    /// The methods that are played, by discovery id.
    pub fn methods(&self) -> impl Iterator<Item = &'static Method> + '_ {
        self.handlers.values().map(|(method, _)| *method)
    }
}
