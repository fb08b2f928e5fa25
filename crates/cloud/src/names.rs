//! Full resource names, brought to one form.

use tokenrig_clock::Timestamp;

use crate::cloud::Cloud;

/// The times of every certificate that the rig makes: no clock of a scenario matters to them.
pub(crate) fn certificate_times() -> (Timestamp, Timestamp) {
    const YEAR_2020: i64 = 1_577_836_800;
    const YEAR_2049: i64 = 2_493_072_000;
    let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    (at(YEAR_2020), at(YEAR_2049))
}

const PROJECTS: &str = "//cloudresourcemanager.googleapis.com/projects/";

impl Cloud {
    /// A full resource name in the one form by which policies are kept: projects by id, service accounts by project
    /// and e-mail address (`projects/-/` and unique ids are resolved). A name of something unknown stays as it is.
    #[must_use]
    pub fn canonical(&self, resource: &str) -> String {
        let Some((service, name)) = resource.strip_prefix("//").and_then(|rest| rest.split_once('/')) else {
            return resource.to_owned();
        };
        let Some((project, rest)) =
            name.strip_prefix("projects/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            return resource.to_owned();
        };
        if service == "iam.googleapis.com"
            && let Some(account) = rest.strip_prefix("serviceAccounts/")
        {
            let (account, below) = account.split_once('/').map_or((account, None), |(is, below)| (is, Some(below)));
            let known = self.accounts().get(account);
            let email = known.as_ref().map_or(account, |known| &known.email);
            let of_email =
                || email.split_once('@').and_then(|(_, domain)| domain.strip_suffix(".iam.gserviceaccount.com"));
            let project = match &known {
                Some(known) => known.project_id.clone(),
                None if project == "-" => of_email().unwrap_or("-").to_owned(),
                None => self.project_id(project),
            };
            let below = below.map(|below| format!("/{below}")).unwrap_or_default();
            return format!("//{service}/projects/{project}/serviceAccounts/{email}{below}");
        }
        let project = self.project_id(project);
        if rest.is_empty() {
            format!("//{service}/projects/{project}")
        } else {
            format!("//{service}/projects/{project}/{rest}")
        }
    }

    fn project_id(&self, name: &str) -> String {
        if self.project().is(name) {
            return self.project().id.clone();
        }
        self.find_project(name).map_or_else(|| name.to_owned(), |project| project.id)
    }

    /// The resources whose policies reach this one, in canonical form: itself, what it is inside of, its project, its
    /// organisation.
    pub(crate) fn chain(&self, canonical: &str) -> Vec<String> {
        let mut chain = vec![canonical.to_owned()];
        if !canonical.starts_with(PROJECTS) {
            chain.extend(containers(canonical));
            let project = chain.iter().find_map(|name| self.parent_of(name)).or_else(|| {
                let (_, name) = canonical.strip_prefix("//")?.split_once('/')?;
                let project = name.strip_prefix("projects/")?.split('/').next()?;
                Some(format!("{PROJECTS}{project}"))
            });
            chain.extend(project);
        }
        let known = |name: &String| name.strip_prefix(PROJECTS).is_some_and(|id| self.find_project(id).is_some());
        if let Some(organization) = self.organization()
            && chain.last().is_some_and(known)
        {
            chain.push(format!("//cloudresourcemanager.googleapis.com/organizations/{organization}"));
        }
        chain
    }
}

/// What a resource is inside of, by its name, innermost first: of `//run.googleapis.com/projects/P/locations/L/services/S`
/// that is the location. Its project is named otherwise and not among them.
fn containers(resource: &str) -> Vec<String> {
    // Two slashes before the service and one after it; then each second one ends a name.
    let ends = resource.match_indices('/').map(|(at, _)| at).skip(3).skip(1).step_by(2).skip(1);
    let mut all: Vec<String> = ends.filter_map(|end| resource.get(..end)).map(str::to_owned).collect();
    all.reverse();
    all
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::cloud::tests::cloud;

    #[rstest]
    #[case::number(
        "//run.googleapis.com/projects/1071284184436/locations/l/services/s",
        "//run.googleapis.com/projects/shop-test/locations/l/services/s"
    )]
    #[case::project(
        "//cloudresourcemanager.googleapis.com/projects/1071284184436",
        "//cloudresourcemanager.googleapis.com/projects/shop-test"
    )]
    #[case::wildcard(
        "//iam.googleapis.com/projects/-/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com",
        "//iam.googleapis.com/projects/shop-test/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com"
    )]
    #[case::letters(
        "//iam.googleapis.com/projects/shop-test/serviceAccounts/Tokenrig-Owner@shop-test.iam.gserviceaccount.com",
        "//iam.googleapis.com/projects/shop-test/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com"
    )]
    #[case::not_there(
        "//iam.googleapis.com/projects/-/serviceAccounts/nobody@shop-test.iam.gserviceaccount.com",
        "//iam.googleapis.com/projects/shop-test/serviceAccounts/nobody@shop-test.iam.gserviceaccount.com"
    )]
    #[case::no_project(
        "//iam.googleapis.com/locations/global/workforcePools/p",
        "//iam.googleapis.com/locations/global/workforcePools/p"
    )]
    #[case::not_a_name("orders", "orders")]
    fn a_resource_has_one_name(#[case] written: &str, #[case] canonical: &str) {
        assert_eq!(cloud().canonical(written), canonical);
    }

    #[test]
    fn a_unique_id_names_the_account() {
        let cloud = cloud();
        let owner = cloud.owner();
        let by_id = format!("//iam.googleapis.com/projects/-/serviceAccounts/{}", owner.unique_id);
        assert_eq!(cloud.canonical(&by_id), owner.resource());
    }

    #[test]
    fn policies_reach_downwards_through_what_a_resource_is_inside_of() {
        let chain = cloud().chain("//run.googleapis.com/projects/shop-test/locations/l/services/s/revisions/r");
        assert_eq!(
            chain,
            [
                "//run.googleapis.com/projects/shop-test/locations/l/services/s/revisions/r",
                "//run.googleapis.com/projects/shop-test/locations/l/services/s",
                "//run.googleapis.com/projects/shop-test/locations/l",
                "//cloudresourcemanager.googleapis.com/projects/shop-test",
            ]
        );
    }

    #[test]
    fn what_names_no_project_is_inside_of_what_it_was_put_into() {
        let cloud = cloud();
        cloud.set_parent("//storage.googleapis.com/projects/_/buckets/b", &cloud.project().resource());
        let chain = cloud.chain("//storage.googleapis.com/projects/_/buckets/b/objects/a/b/c");
        assert!(chain.contains(&"//storage.googleapis.com/projects/_/buckets/b".to_owned()), "{chain:?}");
        assert_eq!(chain.last(), Some(&cloud.project().resource()));
    }
}
