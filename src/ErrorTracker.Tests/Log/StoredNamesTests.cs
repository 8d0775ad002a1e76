using System.Text.Json;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Issues;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;
using ErrorTracker.Projections;
using Marten;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Log;

/// <summary>
/// Names of data, written out: whoever renames a class, a constant or a file must not rename what databases hold. A
/// new table, key or kind gets a literal of its own. A test that misses a literal that is here already asks for a
/// migration, not for another literal.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class StoredNamesTests(SharedApi shared)
{
    [Fact]
    public void kinds_of_events() => Assert.Equal(
        [
            ("error_occurred", "ErrorTracker.Ingestion.ErrorOccurred, ErrorTracker"),
            ("loss_reported", "ErrorTracker.Ingestion.LossReported, ErrorTracker"),
            ("issues_merged", "ErrorTracker.Issues.IssuesMerged, ErrorTracker"),
            ("issue_split", "ErrorTracker.Issues.IssueSplit, ErrorTracker"),
            ("rules_adopted", "ErrorTracker.Issues.RulesAdopted, ErrorTracker"),
        ],
        EventKinds.All.Concat(DecisionKinds.All).Select(kind => (kind.StoredType, kind.StoredDotnetType)));

    /// <summary>Streams and events are found again by ids that are made of these.</summary>
    [Fact]
    public void names_and_members_of_decisions()
    {
        var id = Guid.Parse("3f0c5a0e-58f6-4c1b-9f53-0d4a5a0b7c11");
        Assert.Equal("fe40e099-978a-8ba4-b123-2209110e79c9", $"{DecisionStream.Of(1)}");
        Assert.Equal("428ced2f-1053-8c22-b9c5-5fa0c78a50dc", $"{DecisionStream.EventOf(1, id)}");
        Assert.Equal(["admin", "anonymous"], [Actor.Admin, Actor.Anonymous]);
        Assert.Equal(
            "already at by command into issues seen_through",
            MembersOf(new IssuesMerged(1, [2], [], "", default, id, 1)));
        Assert.Equal(
            "at by command issue parts rest seen_through",
            MembersOf(new IssueSplit(1, 1, [], "", default, id, 1)));
        Assert.Equal("issue keys numbers", MembersOf(new SplitPart(1, [], [])));
        Assert.Equal("Id Parents", MembersOf(IssueMerges.None));
        Assert.Equal(
            "at by former grouping is_withdrawal keys last_number numbers rules through",
            MembersOf(new RulesAdopted(1, 0, "{}", false, 1, 1, [], [], "", default)));
        Assert.Equal(
            "ApplicationId By Counted CreatedAt Fault FinishedAt Grouping Id IsOpen Kind Pairs Rules Serving Since State "
            + "Through Until",
            MembersOf(new GroupingChange(Guid.Empty, 1, "", "{}", "", default)));
    }

    [Fact]
    public void what_an_error_is_as_its_indexes_have_it()
    {
        Assert.Equal(
            "type = 'error_occurred' and timestamp >= timestamptz '0001-01-01 00:00Z' "
            + "and timestamp < timestamptz '9999-12-01 00:00Z'",
            LogRow.IsError);
        Assert.Equal("left(coalesce(data->>'level', ''), 20)", LogRow.Level);
    }

    /// <summary>Marten's and ours, as a new database has them; Wolverine's are its own.</summary>
    [Fact]
    public async Task schema_and_tables() => Assert.Equal(
        [
            "adopted_rules", "assigned_numbers", "counted_groupings", "event_keys_v5", "group_counts_v5", "groups_v5",
            "ingest_outcomes", "issue_members",
            "level_counts_v5", "message_counts_v5", "message_texts_v5",
            "mt_doc_application", "mt_doc_deadletterevent", "mt_doc_envelope", "mt_doc_grouping_change",
            "mt_doc_id_counter", "mt_doc_ingest_key", "mt_doc_ingest_key_use", "mt_doc_issue_merges",
            "mt_event_progression",
            "mt_event_projection_floors", "mt_events", "mt_high_water_skips", "mt_hilo", "mt_streams",
            "open_buckets_v5", "open_minutes_v5", "releases_v5",
        ],
        await NamesAsync("tablename", "pg_tables"));

    [Fact]
    public async Task indexes() => Assert.Equal(
        [
            "event_keys_v5_by_key", "groups_v5_by_count", "groups_v5_by_first", "groups_v5_by_key",
            "groups_v5_by_last", "groups_v5_untold", "idx_issue_members_issue", "idx_mt_events_event_id",
            "ingest_outcomes_application", "mt_doc_application_uidx_name", "mt_doc_ingest_key_idx_application_id",
            "mt_events_by_key", "mt_events_by_level", "mt_events_by_time", "mt_events_of_losses",
            "pk_mt_event_progression", "pk_mt_events_stream_and_version", "pkey_adopted_rules_tenant_id",
            "pkey_assigned_numbers_tenant_id_grouping_group_key",
            "pkey_counted_groupings_tenant_id_grouping",
            "pkey_event_keys_v5_tenant_id_grouping_seq_id",
            "pkey_group_counts_v5_tenant_id_grouping_number_step_bucket_leve",
            "pkey_groups_v5_tenant_id_grouping_number", "pkey_ingest_outcomes_id",
            "pkey_issue_members_tenant_id_number", "pkey_level_counts_v5_tenant_id_step_bucket_level",
            "pkey_message_counts_v5_tenant_id_grouping_step_bucket_level_mes", "pkey_message_texts_v5_message_hash",
            "pkey_mt_doc_application_id", "pkey_mt_doc_deadletterevent_id", "pkey_mt_doc_envelope_id",
            "pkey_mt_doc_grouping_change_id",
            "pkey_mt_doc_id_counter_id", "pkey_mt_doc_ingest_key_id", "pkey_mt_doc_ingest_key_use_id",
            "pkey_mt_doc_issue_merges_tenant_id_id",
            "pkey_mt_event_projection_floors_name_tenant_id", "pkey_mt_events_seq_id",
            "pkey_mt_high_water_skips_ending_sequence", "pkey_mt_hilo_entity_name", "pkey_mt_streams_tenant_id_id",
            "pkey_open_buckets_v5_bucket", "pkey_open_minutes_v5_bucket_tenant_id_grouping_number_message_h",
            "pkey_releases_v5_tenant_id_release",
        ],
        await NamesAsync("indexname", "pg_indexes"));

    /// <summary>Marten takes the names of members from the properties.</summary>
    [Fact]
    public void members_of_documents() => Assert.Equal(
        ["CreatedAt Id Name", "Id Last", "ApplicationId CreatedAt Hash Id Prefix RevokedAt", "Id LastUsedAt"],
        [
            MembersOf(new Application(1, "name", default)),
            MembersOf(new IdCounter("", 1)),
            MembersOf(new IngestKey(Guid.Empty, 1, "", [], default)),
            MembersOf(new IngestKeyUse(Guid.Empty, default)),
        ]);

    [Fact]
    public void codes_of_steps() => Assert.Equal(
        ["8d", "d", "h", "m", "q"],
        Step.OfMessages.Concat(Step.OfLevels).Select(step => step.Code).Distinct());

    [Fact]
    public void names_of_the_counters_beyond_their_tables()
    {
        var counters = CountersProjection.Definition;
        Assert.Equal("Counters:V5:All", counters.Row);
        Assert.Equal("Counters:V5:All:Rebuild", ProjectionShard.BesideOf(counters).Row);
        Assert.Equal("counter_part", counters.Grouped!.PartName);
        Assert.Equal("ErrorTracker, counters v5", new RegisteredProjections([counters]).NodeName.Text);
    }

    [Fact]
    public void kinds_of_outcomes() => Assert.Equal(
        ["ingest_outcomes", "refused", "not_kept", "client_dropped", "duplicate"],
        [
            OutcomeTally.Table["errortracker.".Length..], OutcomeKind.Refused, OutcomeKind.NotKept,
            OutcomeKind.ClientDropped, Reason.Duplicate.Stored,
        ]);

    private string MembersOf(object document)
    {
        var store = shared.Api.Host.Services.GetRequiredService<IDocumentStore>();
        var json = JsonDocument.Parse(store.Options.Serializer().ToJson(document)).RootElement;
        return string.Join(' ', json.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
    }

    private async Task<string[]> NamesAsync(string column, string view) => await shared.Api.ScalarAsync<string[]>(
        $"""
        select array_agg({column}::text order by {column}) from {view}
        where schemaname = 'errortracker' and tablename not like 'wolverine%'
        """);
}
