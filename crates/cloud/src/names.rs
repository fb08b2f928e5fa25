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
        self.find_project(name).map_or_else(|| name.to_owned(), |project| project.id)
    }

    /// The resources whose policies reach this one, in canonical form: itself, what it is inside of, its project, its
    /// organisation.
    pub(crate) fn chain(&self, canonical: &str) -> Vec<String> {
        let mut chain = vec![canonical.to_owned()];
        if !canonical.starts_with(PROJECTS) {
            let mut name = canonical;
            // `//service/projects/P/COLLECTION/ID/…`: pairs are cut off until only the project is left.
            while let Some((above, _)) = name.rsplit_once('/').and_then(|(rest, _)| rest.rsplit_once('/')) {
                if above.matches('/').count() <= 4 {
                    break;
                }
                chain.push(above.to_owned());
                name = above;
            }
            let parent = self.parent_of(canonical).or_else(|| {
                let (_, name) = canonical.strip_prefix("//")?.split_once('/')?;
                let project = name.strip_prefix("projects/")?.split('/').next()?;
                Some(format!("{PROJECTS}{project}"))
            });
            chain.extend(parent);
        }
        if let Some(organization) = self.organization()
            && chain
                .last()
                .is_some_and(|last| last.strip_prefix(PROJECTS).is_some_and(|id| self.find_project(id).is_some()))
        {
            chain.push(format!("//cloudresourcemanager.googleapis.com/organizations/{organization}"));
        }
        chain
    }
}
