//! What settling must know of the configuration.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::domain::address::Network;
use crate::domain::identity::{Entity, SourceName};
use crate::domain::record::{Record, Subject};
use crate::domain::session::Rules;

/// The rules, how long each source may be silent, and whose subscribers the addresses are assigned to.
pub(super) struct Terms {
    pub(super) rules: Rules,
    silences: BTreeMap<SourceName, Option<u32>>,
    other_silence: Option<u32>,
    networks: Vec<(ipnet::IpNet, Entity)>,
}

impl Terms {
    pub(super) fn of(config: &Config) -> Self {
        let retention = &config.retention;
        let silences = config
            .sources()
            .map(|source| (SourceName(source.name.clone()), retention.silent_buckets(source.max_silence)));
        Self {
            rules: Rules { width: retention.bucket, carry_buckets: retention.carry_buckets() },
            silences: silences.collect(),
            other_silence: retention.silent_buckets(retention.max_silence),
            networks: config.networks.iter().map(|of| (of.prefix, Entity(of.entity.clone()))).collect(),
        }
    }

    /// After how many buckets of silence a session of this source counts as ended.
    pub(super) fn silence_of(&self, source: &SourceName) -> Option<u32> {
        self.silences.get(source).copied().unwrap_or(self.other_silence)
    }

    /// Whose subscriber a record names: as it is decided when the record comes.
    pub(super) fn entity_of(&self, record: &Record) -> Entity {
        let Subject::Assignment { network, .. } = &record.subject else { return Entity::default() };
        self.smallest_around(*network).cloned().unwrap_or_default()
    }

    fn smallest_around(&self, network: Network) -> Option<&Entity> {
        let around = self.networks.iter().filter(|(prefix, _)| prefix.contains(&network.as_net()));
        around.max_by_key(|(prefix, _)| prefix.prefix_len()).map(|(_, entity)| entity)
    }
}
