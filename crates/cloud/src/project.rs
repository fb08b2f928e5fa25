//! Projects and their service agents.

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id, for example `shop-test`.
    pub id: String,
    /// Its number, digits.
    pub number: String,
    /// The region where things are unless they say otherwise.
    pub location: String,
}

/// A service agent: the account by which a Google service acts in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// The service: the word after `project.agents.`, for example `pubsub`.
    pub service: &'static str,
    /// Google's project that it belongs to: the part of its address after `@`.
    domain: &'static str,
    /// The role that it gets in the project when the service is enabled.
    pub role: &'static str,
}

const AGENTS: &[Agent] = &[
    Agent { service: "cloudscheduler", domain: "gcp-sa-cloudscheduler", role: "roles/cloudscheduler.serviceAgent" },
    Agent { service: "cloudtasks", domain: "gcp-sa-cloudtasks", role: "roles/cloudtasks.serviceAgent" },
    Agent { service: "eventarc", domain: "gcp-sa-eventarc", role: "roles/eventarc.serviceAgent" },
    Agent { service: "iap", domain: "gcp-sa-iap", role: "roles/iap.serviceAgent" },
    Agent { service: "pubsub", domain: "gcp-sa-pubsub", role: "roles/pubsub.serviceAgent" },
    Agent { service: "run", domain: "serverless-robot-prod", role: "roles/run.serviceAgent" },
    Agent { service: "workflows", domain: "gcp-sa-workflows", role: "roles/workflows.serviceAgent" },
];

impl Default for Project {
    fn default() -> Self {
        Self { id: "shop-test".into(), number: "1071284184436".into(), location: "us-central1".into() }
    }
}

impl Project {
    /// The full resource name.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("//cloudresourcemanager.googleapis.com/projects/{}", self.id)
    }

    /// Whether `name` is its id or its number.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        name == self.id || name == self.number
    }

    /// The e-mail address of an account with this id.
    #[must_use]
    pub fn account_email(&self, account_id: &str) -> String {
        format!("{account_id}@{}.iam.gserviceaccount.com", self.id)
    }

    /// The default account of App Engine.
    #[must_use]
    pub fn appspot_email(&self) -> String {
        format!("{}@appspot.gserviceaccount.com", self.id)
    }

    /// The default account of Compute Engine, which Cloud Run services run as unless told otherwise.
    #[must_use]
    pub fn compute_email(&self) -> String {
        format!("{}-compute@developer.gserviceaccount.com", self.number)
    }

    /// The service agents, by service.
    #[must_use]
    pub fn agents() -> &'static [Agent] {
        AGENTS
    }

    /// The e-mail address of a service's agent in this project, for example of `pubsub`.
    #[must_use]
    pub fn agent_email(&self, service: &str) -> Option<String> {
        AGENTS.iter().find(|agent| agent.service == service).map(|agent| agent.email(&self.number))
    }
}

impl Agent {
    /// Google's project that the address belongs to, if it is an agent's.
    pub(crate) fn project_of(email: &str) -> Option<&'static str> {
        let domain = email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com")?;
        AGENTS.iter().find(|agent| agent.domain == domain).map(|agent| agent.domain)
    }

    /// Its e-mail address in the project with this number.
    #[must_use]
    pub fn email(&self, project_number: &str) -> String {
        format!("service-{project_number}@{}.iam.gserviceaccount.com", self.domain)
    }
}
