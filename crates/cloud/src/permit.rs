//! Whether somebody may do something: the one place that judges permissions of callers.

use tokenrig_policy::{Attributes, Identity, Outside, Reach, Verdict};

use crate::{caller::Caller, cloud::Cloud, policies::Reached};

impl Cloud {
    /// Whether a caller has a permission on a resource (its full name, in any form): by what its identity is granted, and
    /// within the access boundary of its token. Say the verdict with [`Verdict::check`].
    #[must_use]
    pub fn permit(&self, caller: &Caller, permission: &str, resource: &str, attributes: &Attributes) -> Verdict {
        let verdict = self.permit_identity(&caller.identity, permission, resource, attributes);
        match self.outside(caller, permission, resource, attributes) {
            None => verdict,
            Some(outside) => verdict.outside(outside, &caller.identity, permission, &self.roles()),
        }
    }

    /// Those of `permissions` that a caller has on a resource, in their order. On an unknown resource it has those that
    /// the project gives.
    #[must_use]
    pub fn permitted<'p>(&self, caller: &Caller, permissions: &[&'p str], resource: &str) -> Vec<&'p str> {
        let mut held = self.policies().test(&caller.identity, permissions, resource);
        let attributes = Attributes::at(self.now());
        held.retain(|permission| self.outside(caller, permission, resource, &attributes).is_none());
        held
    }

    /// Whether an identity has a permission, for whom no access token speaks: whom an ID token names at a front door, the
    /// next account of a delegation chain. Who shows an access token is a [`Caller`]: [`permit`](Self::permit).
    #[must_use]
    pub fn permit_identity(
        &self,
        identity: &Identity,
        permission: &str,
        resource: &str,
        attributes: &Attributes,
    ) -> Verdict {
        self.policies().decide(identity, permission, resource, attributes)
    }

    /// The policies that reach a resource now: as [`permit_identity`](Self::permit_identity), for who asks several things
    /// of one resource.
    #[must_use]
    pub fn reached(&self, resource: &str) -> Reached {
        self.policies().reached(resource)
    }

    /// The rule of a caller's access boundary that came nearest, if the boundary leaves a permission out.
    fn outside(
        &self,
        caller: &Caller,
        permission: &str,
        resource: &str,
        attributes: &Attributes,
    ) -> Option<Box<Outside>> {
        let boundary = caller.boundary.as_ref()?;
        let resources = self.chain(&self.canonical(resource));
        let canonical = |name: &str| self.canonical(name);
        let reach = Reach { permission, resources: &resources, attributes, canonical: &canonical };
        boundary.reaches(&reach, &self.roles()).err()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenrig_clock::{Clock, minutes, seconds};
    use tokenrig_policy::AccessBoundary;

    use super::*;
    use crate::{AccessTokenOrder, CallerFault, cloud::tests::cloud_and_clock};

    const ORDERS: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";

    fn boundary(resource: &str, role: &str) -> AccessBoundary {
        let rule = json!({ "availableResource": resource, "availablePermissions": [format!("inRole:{role}")] });
        AccessBoundary::from_json(json!({ "accessBoundaryRules": [rule] }).as_object().unwrap()).unwrap()
    }

    /// The owner's caller, within a boundary.
    fn within(cloud: &Cloud, boundary: AccessBoundary) -> Caller {
        let order = AccessTokenOrder { identity: cloud.owner().identity(), scopes: vec![], lifetime: seconds(600) };
        let source = cloud.mint().issued(cloud.mint().access_token(order).reveal()).unwrap();
        cloud.caller(cloud.mint().downscoped(&source, boundary).reveal()).unwrap()
    }

    #[test]
    fn a_downscoped_token_permits_what_its_principal_has_and_its_boundary_makes_available() {
        let (cloud, _) = cloud_and_clock();
        // By the project's number: the boundary and the policies mean the same.
        let project = "//cloudresourcemanager.googleapis.com/projects/1071284184436";
        let caller = within(&cloud, boundary(project, "roles/run.viewer"));
        let asked = ["run.services.get", "run.services.delete"];
        assert_eq!(cloud.permitted(&caller, &asked, ORDERS), ["run.services.get"]);
        let attributes = Attributes::at(cloud.now());
        assert!(cloud.permit(&caller, asked[0], ORDERS, &attributes).granted());

        let check = cloud.permit(&caller, asked[1], ORDERS, &attributes).check(&caller.identity, asked[1]);
        assert!(!check.ok());
        assert_eq!(
            check.finding(),
            &json!({ "accessBoundary": {
                "miss": "role-lacks-permission", "rule": 0, "availableResource": project,
                "availablePermissions": ["inRole:roles/run.viewer"],
            } })
        );
        assert_eq!(
            check.mending().unwrap(),
            format!(
                "downscope the token with another access boundary: add `inRole:roles/run.developer` to rule 0 ({project})"
            )
        );
    }

    #[test]
    fn a_boundary_grants_nothing() {
        let (cloud, _) = cloud_and_clock();
        let caller = within(&cloud, boundary(&cloud.owner().resource(), "roles/iam.serviceAccountTokenCreator"));
        let permission = "iam.serviceAccounts.getAccessToken";
        let verdict = cloud.permit(&caller, permission, &cloud.owner().resource(), &Attributes::at(cloud.now()));
        assert!(!verdict.granted());

        // What neither the policies nor the boundary give is mended in both.
        let verdict = cloud.permit(&caller, permission, ORDERS, &Attributes::at(cloud.now()));
        let check = verdict.check(&caller.identity, permission);
        assert_eq!(check.finding()["accessBoundary"]["miss"], "other-resource");
        let mend = check.mending().unwrap();
        assert!(mend.starts_with("grant ") && mend.contains("; and downscope the token"), "{mend}");
    }

    #[test]
    fn a_downscoped_token_ends_with_the_one_that_it_was_made_of() {
        let (cloud, clock) = cloud_and_clock();
        let order =
            AccessTokenOrder { identity: cloud.owner().identity(), scopes: vec!["a".into()], lifetime: minutes(10) };
        let source = cloud.mint().access_token(order);
        clock.advance_to(clock.now() + minutes(4)).unwrap();
        let issued = cloud.mint().issued(source.reveal()).unwrap();
        let token = cloud.mint().downscoped(&issued, boundary(ORDERS, "roles/run.viewer"));
        assert_eq!(token.expires_at(), source.expires_at());
        let caller = cloud.caller(token.reveal()).unwrap();
        assert_eq!((caller.scopes, caller.boundary.is_some()), (vec!["a".to_owned()], true));
        clock.advance_to(source.expires_at()).unwrap();
        assert_eq!(cloud.caller(token.reveal()), Err(CallerFault::Expired { at: source.expires_at() }));
    }
}
