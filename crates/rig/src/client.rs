//! An HTTP client that reaches the rig as any other does: real host names, through its proxy, trusting its certificates.

use reqwest::{Certificate, Client, NoProxy, Proxy};

use crate::rig::{Rig, StartFault};

impl Rig {
    /// A client that reaches Google's host names, and all others of the rig, at their real URLs. It reads no environment
    /// variable, trusts the rig's certificates alone, and follows redirects as `reqwest` does by itself.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let rig = tokenrig::Rig::builder().start().await;
    /// let answer = rig.http_client().get("https://accounts.google.com/.well-known/openid-configuration").send().await;
    /// assert_eq!(answer.unwrap().status(), 200);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the client cannot be made of the rig's own certificate, which is a fault of this crate.
    #[must_use]
    pub fn http_client(&self) -> Client {
        let made = self.client.get_or_init(|| match self.made_client() {
            Ok(client) => client,
            Err(fault) => panic!("no client for the rig: {fault}"),
        });
        made.clone()
    }

    fn made_client(&self) -> Result<Client, StartFault> {
        let fault = |fault: reqwest::Error| StartFault::Files(format!("make an HTTP client: {fault}"));
        let authority = Certificate::from_pem(self.files.ca_pem().as_bytes()).map_err(fault)?;
        let proxy = Proxy::all(format!("http://{}", self.gateway_addr())).map_err(fault)?;
        let proxy = proxy.no_proxy(NoProxy::from_string("127.0.0.1,localhost,::1"));
        Client::builder().proxy(proxy).tls_certs_only([authority]).build().map_err(fault)
    }
}
