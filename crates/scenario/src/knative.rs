//! A Cloud Run service as `gcloud run services describe` prints it: Knative's form, turned into that of the API v2.

use tokenrig_protos::table;

use crate::{
    pasted::{Resource, entries, get, key, literal, map, named_key, scalar, text},
    source::Span,
    template::{Key, Kind, Style, Template},
    yaml::{Node, NodeKind},
};

/// Annotations are named below this.
const RUN: &str = "run.googleapis.com/";

/// Whether a node is a service in this form.
pub(crate) fn is_service(node: &Node) -> bool {
    text(node, "kind") == Some("Service")
        && text(node, "apiVersion").is_some_and(|version| version.starts_with("serving.knative.dev/"))
}

/// The service; `None` without a name.
pub(crate) fn service(node: &Node) -> Option<Resource> {
    let metadata = get(node, "metadata")?;
    let id = key(metadata, "name")?;
    let annotations = get(metadata, "annotations");
    let annotation = |name: &str| annotations.and_then(|all| key(all, &format!("{RUN}{name}")));
    let mut fields: Vec<(Key, Template)> = Vec::new();
    let mut put = |name: &str, span: Span, kind: Kind| {
        fields.push((named_key(name, span), Template { kind, span, style: Style::Plain }));
    };
    if let Some(text) = annotation("description") {
        put("description", text.span, Kind::Text(text.text));
    }
    if let Some(ingress) = annotation("ingress") {
        let word = match &*ingress.text {
            "internal" => "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "internal-and-cloud-load-balancing" => "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
            "none" => "INGRESS_TRAFFIC_NONE",
            _ => "INGRESS_TRAFFIC_ALL",
        };
        put("ingress", ingress.span, Kind::Text(word.into()));
    }
    for (annotated, field) in
        [("invoker-iam-disabled", "invokerIamDisabled"), ("default-url-disabled", "defaultUriDisabled")]
    {
        if let Some(said) = annotation(annotated) {
            put(field, said.span, Kind::Bool(&*said.text == "true"));
        }
    }
    if let Some(audiences) = annotation("custom-audiences")
        && let Ok(list) = serde_json::from_str::<Vec<String>>(&audiences.text)
    {
        let list = list.iter().map(|audience| scalar(audience, audiences.span)).collect();
        put("customAudiences", audiences.span, Kind::List(list));
    }
    if let Some(template) = get(node, "spec").and_then(|spec| get(spec, "template")).and_then(|one| get(one, "spec")) {
        put("template", template.span, Kind::Map(revision(template)));
    }
    let labels = get(metadata, "labels");
    Some(Resource {
        collection: table().collection("run.services")?,
        // Knative's namespace is the project's number.
        project: key(metadata, "namespace"),
        location: labels.and_then(|labels| key(labels, "cloud.googleapis.com/location")),
        parent: None,
        id,
        fields,
        span: node.span,
    })
}

fn revision(spec: &Node) -> Vec<(Key, Template)> {
    let mut fields = Vec::new();
    if let Some(account) = key(spec, "serviceAccountName") {
        fields.push((named_key("serviceAccount", account.span), scalar(&account.text, account.span)));
    }
    if let Some(seconds) = key(spec, "timeoutSeconds") {
        fields.push((named_key("timeout", seconds.span), scalar(&format!("{}s", seconds.text), seconds.span)));
    }
    if let Some(concurrency) = get(spec, "containerConcurrency") {
        fields.push((named_key("maxInstanceRequestConcurrency", concurrency.span), literal(concurrency)));
    }
    if let Some(Node { kind: NodeKind::List(containers), span, .. }) = get(spec, "containers") {
        let containers = containers.iter().map(|one| map(container(one), one.span)).collect();
        fields.push((
            named_key("containers", *span),
            Template { kind: Kind::List(containers), span: *span, style: Style::Plain },
        ));
    }
    fields
}

/// What both forms call the same. Variables whose value is a secret's are left out: the rig has no secrets.
fn container(node: &Node) -> Vec<(Key, Template)> {
    let same =
        entries(node).iter().filter(|(key, _)| matches!(&*key.text, "name" | "image" | "command" | "args" | "ports"));
    let mut fields: Vec<(Key, Template)> = same.map(|(key, value)| (key.clone(), literal(value))).collect();
    if let Some((name, Node { kind: NodeKind::List(variables), span, .. })) =
        entries(node).iter().find(|(key, _)| &*key.text == "env")
    {
        let plain = variables.iter().filter(|one| get(one, "valueFrom").is_none()).map(literal).collect();
        fields.push((name.clone(), Template { kind: Kind::List(plain), span: *span, style: Style::Plain }));
    }
    fields
}
