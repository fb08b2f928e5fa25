//! Whether somebody may do something: the decision alone, without HTTP.

use std::{collections::HashMap, hint::black_box, sync::Arc};

use tokenrig_cel::{Dialect, Program, Scope, Value};
use tokenrig_clock::{Timestamp, real::Stopwatch};
use tokenrig_policy::{Attached, Attributes, Binding, Condition, Directory, Identity, Policy, Request, Roles, decide};

use crate::{
    child::Programs,
    scale::{ROUNDS, Scale},
    table::{Goal, Row, Unit},
};

const ORDERS: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";
const PROJECT: &str = "//cloudresourcemanager.googleapis.com/projects/shop-test";
const INVOKE: &str = "run.routes.invoke";
/// What Google allows in one policy.
const MOST_MEMBERS: usize = 1500;
const CONDITION: &str =
    "request.time < timestamp('2030-01-01T00:00:00Z') && resource.name.startsWith('projects/shop-test/')";

/// A policy that grants to the last of its members, and the project's policy around it.
struct World {
    policies: Vec<Arc<Attached>>,
    roles: Roles,
    directory: Directory,
    attributes: Attributes,
    identity: Identity,
}

impl World {
    fn of(members: usize, condition: Option<&str>) -> Self {
        let names = (0..members).map(|number| format!("serviceAccount:{}", email(number)));
        let mut binding = Binding::of("roles/run.invoker", names);
        if let Some(expression) = condition {
            binding.condition = Some(Condition { expression: expression.to_owned(), ..Condition::default() });
        }
        let around = [
            Binding::of("roles/owner", ["user:owner@shop.example"]),
            Binding::of("roles/viewer", ["group:everybody@shop.example"]),
        ];
        Self {
            policies: vec![
                Arc::new(Attached::new(ORDERS, Policy::of([binding]))),
                Arc::new(Attached::new(PROJECT, Policy::of(around))),
            ],
            roles: Roles::default(),
            directory: Directory::default(),
            attributes: Attributes::at(now()),
            identity: Identity::ServiceAccount {
                email: email(members - 1),
                unique_id: "107145139691231222712".to_owned(),
                project_number: "1071284184436".to_owned(),
            },
        }
    }

    fn decide(&self, permission: &str) -> bool {
        let request = Request {
            identity: &self.identity,
            permission,
            resource: ORDERS,
            policies: &self.policies,
            denials: &[],
            directory: &self.directory,
            attributes: &self.attributes,
            elsewhere: None,
        };
        black_box(decide(black_box(&request), &self.roles)).granted()
    }
}

fn now() -> Timestamp {
    // 2026-01-15T09:00:00Z
    Timestamp::from_second(1_768_467_600).unwrap_or_default()
}

fn email(number: usize) -> String {
    format!("caller-{number:04}@shop-test.iam.gserviceaccount.com")
}

pub(crate) fn measure(_: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let times = scale.of(200_000, 2000);
    let (one, many) = (World::of(1, None), World::of(MOST_MEMBERS, None));
    let (one_if, many_if) = (World::of(1, Some(CONDITION)), World::of(MOST_MEMBERS, Some(CONDITION)));
    for world in [&one, &many, &one_if, &many_if] {
        if !world.decide(INVOKE) || world.decide("run.services.delete") {
            return Err("the policy does not decide as it should".to_owned());
        }
    }
    let table: HashMap<String, usize> = (0..MOST_MEMBERS).map(|number| (email(number), number)).collect();
    let wanted = email(MOST_MEMBERS - 1);
    let program = Program::compile(CONDITION, Dialect::IamCondition).map_err(|fault| fault.to_string())?;
    let name = ORDERS.trim_start_matches("//run.googleapis.com/");
    let resource = Value::map([("service", Value::from("run.googleapis.com")), ("name", Value::from(name))]);
    // What a condition reads of the resource is there; what it reads of the request is new with every request.
    let evaluate = || {
        let request = Value::map([("time", Value::Timestamp(black_box(now())))]);
        let scope = Scope::new().with("request", request).with("resource", resource.clone());
        matches!(program.evaluate(black_box(&scope)), Ok(Value::Bool(true)))
    };
    if !evaluate() {
        return Err("the condition does not hold".to_owned());
    }

    let look_up = || table.contains_key(black_box(wanted.as_str()));
    Ok(vec![
        paired("policy decision, to a hash look-up", times, || many.decide(INVOKE), look_up, Goal::AtMost(20.0)),
        paired(
            "policy decision, condition, to the condition",
            times,
            || many_if.decide(INVOKE),
            evaluate,
            Goal::AtMost(1.5),
        ),
        paired(
            "policy decision, 1,500 members to 1",
            times,
            || many.decide(INVOKE),
            || one.decide(INVOKE),
            Goal::AtMost(1.3),
        ),
        paired(
            "policy decision, condition, 1,500 members to 1",
            times,
            || many_if.decide(INVOKE),
            || one_if.decide(INVOKE),
            Goal::AtMost(1.3),
        ),
    ])
}

fn paired(name: &str, times: usize, subject: impl Fn() -> bool, baseline: impl Fn() -> bool, goal: Goal) -> Row {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (nanoseconds(times, &subject), nanoseconds(times, &baseline))).collect();
    Row::paired(name, Unit::Nanoseconds, &rounds, goal)
}

fn nanoseconds(times: usize, work: impl Fn() -> bool) -> f64 {
    let watch = Stopwatch::start();
    for _ in 0..times {
        black_box(work());
    }
    watch.elapsed().as_secs_f64() * 1e9 / times as f64
}
