use axum::{Router, routing::get};
use http::Request;
use rstest::rstest;
use tokenrig_wire::{Api, Front, Hosts, Service, assemble};

use crate::rig::Rig;

fn front(hosts: Hosts, path: &str, text: &'static str) -> Front {
    Front { hosts, router: Router::new().route(path, get(move || async move { text })) }
}

fn service(fronts: Vec<Front>) -> Service {
    Service { name: "front", about: "a test", api: Api::new(), fronts, refusals: &[], assumptions: &[] }
}

#[rstest]
#[case("sts.googleapis.com", true)]
#[case("STS.googleapis.com:443", true)]
#[case("sts.googleapis.com.", true)]
#[case("sts.mtls.googleapis.com", true)]
#[case("orders-1.us-central1.run.app", true)]
#[case("run.app", false)]
#[case("", false)]
#[case(":443", false)]
#[case("sts.mtls.mtls.googleapis.com", false)]
#[case("storage.googleapis.com", false)]
fn a_host_is_played_or_not(#[case] name: &str, #[case] played: bool) {
    let cloud = Rig::new().cloud;
    let exact = front(Hosts::exact(["sts.googleapis.com"]), "/", "");
    let when = front(Hosts::when(|host| host.ends_with(".run.app")), "/", "");
    let hosts = assemble(&cloud, vec![service(vec![exact, when])]);
    assert_eq!(hosts.find(name).is_some(), played);
}

#[tokio::test]
async fn fronts_and_methods_share_a_host() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    let rig = Rig::new();
    let api = Api::new().on(
        "run.projects.locations.services.get",
        |_: tokenrig_wire::Call, _: tokenrig_protos::google::cloud::run::v2::GetServiceRequest| async {
            Ok(tokenrig_protos::google::cloud::run::v2::Service::default())
        },
    );
    let methods = Service { api, ..service(vec![front(Hosts::exact(["run.googleapis.com"]), "/apis/a", "a")]) };
    let more = service(vec![front(Hosts::exact(["run.googleapis.com"]), "/apis/b", "b")]);
    let hosts = assemble(&rig.cloud, vec![methods, more]);
    for (path, expected) in [("/apis/a", "a"), ("/apis/b", "b"), ("/v2/projects/p/locations/l/services/s", "{")] {
        let router = hosts.find("us-central1-run.googleapis.com").unwrap();
        let answer = router.oneshot(Request::get(path).body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(expected.as_bytes()), "{path}: {body:?}");
    }
}

#[test]
#[should_panic(expected = "is played by two services")]
fn two_services_cannot_play_one_method() {
    let rig = Rig::new();
    let one = || {
        let api = Api::new().on(
            "run.projects.locations.services.get",
            |_: tokenrig_wire::Call, _: tokenrig_protos::google::cloud::run::v2::GetServiceRequest| async {
                Ok(tokenrig_protos::google::cloud::run::v2::Service::default())
            },
        );
        Service { api, ..service(Vec::new()) }
    };
    let _hosts = assemble(&rig.cloud, vec![one(), one()]);
}
