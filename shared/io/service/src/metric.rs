//! Every metric there is, and the page that shows them.
//!
//! Labels are names from our own configuration (link, cause), never ids from outside.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// A metric; its name says component, quantity and unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Metric {
    EdgeAlarmsOpen,
    EdgeAlarmsRaised,
    EdgeAlarmsStoreBytes,
    EdgeDecodeSkippedSamples,
    EdgeForwardAcknowledgedBatches,
    EdgeForwardConnected,
    EdgeForwardDatagramsDropped,
    EdgeForwardSentBytes,
    EdgeHistoryBytes,
    EdgeHistoryDamaged,
    EdgeIntakeBytes,
    EdgeIntakePackets,
    EdgeIntakeRejected,
    EdgeIntakeRejectedBytes,
    EdgeJournalBacklogBytes,
    EdgeJournalBacklogDrainSeconds,
    EdgeJournalBacklogInBytes,
    EdgeJournalBacklogInPackets,
    EdgeJournalBacklogOutBytes,
    EdgeJournalBacklogOutPackets,
    EdgeJournalBacklogPackets,
    EdgeJournalCommits,
    EdgeJournalFullSeconds,
    EdgeJournalOlder,
    EdgeJournalRefused,
    EdgeJournalRoomBytes,
    HubAlarmEntries,
    HubAlarmEntriesTold,
    HubAlarmPiecesRefused,
    HubAlarmsOpen,
    HubArchiveHeadSamples,
    HubArchiveMerges,
    HubArchiveSegments,
    HubArchiveUndecodedPackets,
    HubDocumentsSent,
    HubFanOutDropped,
    HubFanOutPublished,
    HubFanOutRefused,
    HubFollowHandedOver,
    HubFollowRead,
    HubIngestBatches,
    HubIngestBytes,
    HubIngestCommits,
    HubIngestRecords,
    HubIngestRetries,
    HubIntakeBytes,
    HubIntakePackets,
    HubIntakeRejected,
    HubIntakeRejectedBytes,
    HubNoticesDelivered,
    HubNoticesFailed,
    HubNoticesWaiting,
    HubReceptionDatagramsDropped,
    HubSessionsOpen,
    HubSessionsRefused,
}

impl Metric {
    /// The name, as scraped.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdgeAlarmsOpen => "edge_alarms_open",
            Self::EdgeAlarmsRaised => "edge_alarms_raised_total",
            Self::EdgeAlarmsStoreBytes => "edge_alarms_store_bytes",
            Self::EdgeDecodeSkippedSamples => "edge_decode_skipped_samples_total",
            Self::EdgeForwardAcknowledgedBatches => "edge_forward_acknowledged_batches_total",
            Self::EdgeForwardConnected => "edge_forward_connected",
            Self::EdgeForwardDatagramsDropped => "edge_forward_datagrams_dropped",
            Self::EdgeForwardSentBytes => "edge_forward_sent_bytes_total",
            Self::EdgeHistoryBytes => "edge_history_disk_bytes",
            Self::EdgeHistoryDamaged => "edge_history_damaged_blocks_total",
            Self::EdgeIntakeBytes => "edge_intake_bytes_total",
            Self::EdgeIntakePackets => "edge_intake_packets_total",
            Self::EdgeIntakeRejected => "edge_intake_rejected_total",
            Self::EdgeIntakeRejectedBytes => "edge_intake_rejected_bytes_total",
            Self::EdgeJournalBacklogBytes => "edge_journal_backlog_bytes",
            Self::EdgeJournalBacklogDrainSeconds => "edge_journal_backlog_drain_seconds",
            Self::EdgeJournalBacklogInBytes => "edge_journal_backlog_in_bytes_per_second",
            Self::EdgeJournalBacklogInPackets => "edge_journal_backlog_in_packets_per_second",
            Self::EdgeJournalBacklogOutBytes => "edge_journal_backlog_out_bytes_per_second",
            Self::EdgeJournalBacklogOutPackets => "edge_journal_backlog_out_packets_per_second",
            Self::EdgeJournalBacklogPackets => "edge_journal_backlog_packets",
            Self::EdgeJournalCommits => "edge_journal_commits_total",
            Self::EdgeJournalFullSeconds => "edge_journal_full_seconds",
            Self::EdgeJournalOlder => "edge_journal_older_waiting",
            Self::EdgeJournalRefused => "edge_journal_refused_total",
            Self::EdgeJournalRoomBytes => "edge_journal_room_bytes",
            Self::HubAlarmEntries => "hub_alarm_entries_total",
            Self::HubAlarmEntriesTold => "hub_alarm_entries_told_total",
            Self::HubAlarmPiecesRefused => "hub_alarm_pieces_refused_total",
            Self::HubAlarmsOpen => "hub_alarms_open",
            Self::HubArchiveHeadSamples => "hub_archive_head_samples",
            Self::HubArchiveMerges => "hub_archive_merges_total",
            Self::HubArchiveSegments => "hub_archive_segments_total",
            Self::HubArchiveUndecodedPackets => "hub_archive_undecoded_packets_total",
            Self::HubDocumentsSent => "hub_documents_sent_total",
            Self::HubFanOutDropped => "hub_fan_out_dropped_batches_total",
            Self::HubFanOutPublished => "hub_fan_out_published_batches_total",
            Self::HubFanOutRefused => "hub_fan_out_refused_total",
            Self::HubFollowHandedOver => "hub_follow_handed_over_batches_total",
            Self::HubFollowRead => "hub_follow_read_batches_total",
            Self::HubIngestBatches => "hub_ingest_batches_total",
            Self::HubIngestBytes => "hub_ingest_bytes_total",
            Self::HubIngestCommits => "hub_ingest_commits_total",
            Self::HubIngestRecords => "hub_ingest_records_total",
            Self::HubIngestRetries => "hub_ingest_retries_total",
            Self::HubIntakeBytes => "hub_intake_bytes_total",
            Self::HubIntakePackets => "hub_intake_packets_total",
            Self::HubIntakeRejected => "hub_intake_rejected_total",
            Self::HubIntakeRejectedBytes => "hub_intake_rejected_bytes_total",
            Self::HubNoticesDelivered => "hub_notices_delivered_total",
            Self::HubNoticesFailed => "hub_notices_failed_total",
            Self::HubNoticesWaiting => "hub_notices_waiting",
            Self::HubReceptionDatagramsDropped => "hub_reception_datagrams_dropped",
            Self::HubSessionsOpen => "hub_sessions_open",
            Self::HubSessionsRefused => "hub_sessions_refused_total",
        }
    }

    /// Counts up.
    pub fn add(self, count: u64) {
        metrics::counter!(self.name()).increment(count);
    }

    /// Counts up under a label.
    pub fn add_for(self, label: &'static str, value: &str, count: u64) {
        metrics::counter!(self.name(), label => value.to_owned()).increment(count);
    }

    /// Sets a level.
    pub fn set(self, level: f64) {
        metrics::gauge!(self.name()).set(level);
    }
}

/// The recorder's page. Cheap to clone.
#[derive(Clone)]
pub struct MetricsPage(PrometheusHandle);

impl MetricsPage {
    /// Starts recording. Once a process; a second call only gives an empty page.
    pub fn start() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = Self(recorder.handle());
        // Fails only when a recorder is there already, which then keeps recording.
        let _ = metrics::set_global_recorder(recorder);
        page
    }

    /// The page in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}
