//! What an instance of a Cloud Run service gets that the rig starts, a local command for example: the way to the rig, and
//! a metadata server on which it is its own service's account.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use futures_util::FutureExt as _;
use tokenrig_cloud::Cloud;
use tokenrig_cloudrun::{Contract, EnvironmentMaker};
use tokenrig_gateway::{Limits, Plain};
use tokenrig_metadata::{Platform, Settings, router};

use crate::environment::{Addresses, LazyFiles, environment};

/// The instances of one rig.
pub(crate) struct Instances {
    cloud: Cloud,
    /// The rig's: an instance that outlives it for a moment keeps no file.
    files: Weak<LazyFiles>,
    gateway: SocketAddr,
    control: SocketAddr,
    /// By account.
    machines: Mutex<BTreeMap<String, Plain>>,
}

impl Instances {
    pub(crate) fn maker(
        cloud: Cloud,
        files: &Arc<LazyFiles>,
        gateway: SocketAddr,
        control: SocketAddr,
    ) -> EnvironmentMaker {
        let instances = Self { cloud, files: Arc::downgrade(files), gateway, control, machines: Mutex::default() };
        Arc::new(move |contract: &Contract| instances.variables(&contract.service_account).unwrap_or_default())
    }

    /// `None` while the rig ends.
    fn variables(&self, account: &str) -> Option<Vec<(String, String)>> {
        let files = self.files.upgrade()?.get().ok()?;
        let addresses = Addresses { gateway: self.gateway, control: self.control, metadata: self.machine(account)? };
        let project = self.cloud.project();
        Some(environment(addresses, &files, &project.id, &project.location).set)
    }

    /// The address of an account's metadata server. It listens from when it is first asked for.
    fn machine(&self, account: &str) -> Option<SocketAddr> {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = machines.get(account) {
            return Some(machine.addr());
        }
        let settings = Settings { platform: Platform::Serverless, ..Settings::default() };
        let free = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        // Nobody needs to be waited for at an address that is no name.
        let started = Plain::start(free, router(&self.cloud, account, settings), Limits::default()).now_or_never();
        let machine =
            started?.inspect_err(|fault| tracing::warn!(%fault, "no metadata server for an instance")).ok()?;
        let addr = machine.addr();
        machines.insert(account.to_owned(), machine);
        Some(addr)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokenrig_clock::{ManualClock, Timestamp};
    use tokenrig_cloud::Foundation;
    use tokenrig_gateway::Authority;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    const COMPUTE: &str = "1071284184436-compute@developer.gserviceaccount.com";

    fn contract(account: &str) -> Contract {
        Contract {
            service: "orders".to_owned(),
            revision: "orders-00001-abc".to_owned(),
            configuration: "orders".to_owned(),
            service_account: account.to_owned(),
            port: 8080,
            http2: false,
            command: Vec::new(),
            args: Vec::new(),
            environment: Vec::new(),
            start_up: Duration::from_secs(1),
            grace: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
        }
    }

    async fn email(metadata: &str) -> String {
        let mut stream = TcpStream::connect(metadata).await.unwrap();
        let request = "GET /computeMetadata/v1/instance/service-accounts/default/email HTTP/1.0\r\nmetadata-flavor: Google\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.rsplit("\r\n").next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn an_instance_is_its_own_services_account() {
        let cloud = Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))));
        let owner = cloud.owner_email();
        let files = Arc::new(LazyFiles::of(Authority::shared().unwrap()));
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
        let make = Instances::maker(cloud, &files, nowhere, nowhere);
        for account in [COMPUTE, &owner] {
            let variables: BTreeMap<String, String> = make(&contract(account)).into_iter().collect();
            assert_eq!(variables["HTTPS_PROXY"], "http://127.0.0.1:1");
            assert_eq!(email(&variables["GCE_METADATA_HOST"]).await, account);
            let again: BTreeMap<String, String> = make(&contract(account)).into_iter().collect();
            assert_eq!(again, variables);
        }
        drop(files);
        assert_eq!(make(&contract(COMPUTE)), [], "the rig has ended, and with it the way to it");
    }
}
