-- The store's tables, explained column by column in docs/store.md (a test compares the two).
-- Sizes are bytes, ages and rates are in seconds, wall_s is Unix time. NULL is absent, never zero.
-- A new column must be one that may be NULL: files that are older get it, and new tables, when a daemon opens
-- them.

CREATE TABLE session (
    session INTEGER PRIMARY KEY,
    started_wall_s REAL NOT NULL,
    aerostat TEXT NOT NULL,
    configuration TEXT
) STRICT;

CREATE TABLE guest (
    number INTEGER PRIMARY KEY,
    guest TEXT NOT NULL,
    name TEXT NOT NULL,
    platform_number TEXT,
    UNIQUE (guest, name)
) STRICT;

CREATE TABLE round (
    round INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session,
    number INTEGER NOT NULL,
    now_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    was_enforced INTEGER NOT NULL,
    next_round_s REAL NOT NULL,
    supply_bytes INTEGER,
    committed_bytes INTEGER NOT NULL,
    demand_bytes INTEGER NOT NULL,
    short_bytes INTEGER NOT NULL,
    reserved_bytes INTEGER,
    rising_bytes INTEGER,
    owed_bytes INTEGER,
    state TEXT,
    allowed TEXT,
    in_use TEXT,
    effect TEXT,
    futile_rounds INTEGER,
    idle_short_s REAL,
    host_total_bytes INTEGER,
    host_available_bytes INTEGER,
    host_free_bytes INTEGER,
    host_cache_bytes INTEGER,
    host_swap_total_bytes INTEGER,
    host_swap_free_bytes INTEGER,
    host_swap_in_bytes INTEGER,
    host_swap_out_bytes INTEGER,
    host_revocable_bytes INTEGER,
    host_pressure_some_total_s REAL,
    host_pressure_full_total_s REAL
) STRICT;

CREATE INDEX round_by_time ON round (wall_s);
CREATE INDEX round_by_session ON round (session);

CREATE TABLE tape (
    chunk INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session,
    engine TEXT,
    first_number INTEGER NOT NULL,
    last_number INTEGER NOT NULL,
    first_wall_s REAL NOT NULL,
    last_wall_s REAL NOT NULL,
    rounds INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE sample (
    round INTEGER NOT NULL REFERENCES round ON DELETE CASCADE,
    guest INTEGER NOT NULL,
    run_state TEXT NOT NULL,
    max_bytes INTEGER,
    actual_bytes INTEGER,
    has_balloon INTEGER,
    deflates_on_oom INTEGER,
    standing_target_bytes INTEGER,
    reports_free_pages INTEGER,
    hinting TEXT,
    trouble TEXT,
    disk_read_bytes INTEGER,
    is_backing_up INTEGER,
    statistics_sampled_wall_s REAL,
    statistics_age_s REAL,
    statistics_total_bytes INTEGER,
    statistics_available_bytes INTEGER,
    statistics_free_bytes INTEGER,
    statistics_cache_bytes INTEGER,
    statistics_swap_in_bytes INTEGER,
    statistics_swap_out_bytes INTEGER,
    statistics_major_faults INTEGER,
    statistics_minor_faults INTEGER,
    statistics_oom_kills INTEGER,
    statistics_alloc_stalls INTEGER,
    statistics_absent TEXT,
    pressure_sampled_wall_s REAL,
    pressure_age_s REAL,
    pressure_some_total_s REAL,
    pressure_full_total_s REAL,
    pressure_refaults INTEGER,
    pressure_swap_total_bytes INTEGER,
    pressure_swap_free_bytes INTEGER,
    footprint_age_s REAL,
    footprint_cgroup_bytes INTEGER,
    footprint_pss_bytes INTEGER,
    footprint_rss_bytes INTEGER,
    footprint_swap_bytes INTEGER,
    footprint_swap_in_bytes INTEGER,
    footprint_major_faults INTEGER,
    footprint_pressure_some_total_s REAL,
    footprint_pressure_full_total_s REAL,
    footprint_limit_bytes INTEGER,
    footprint_limit_hits INTEGER,
    footprint_pid INTEGER,
    footprint_locked_bytes INTEGER,
    footprint_touched_bytes INTEGER,
    footprint_unsplit_bytes INTEGER,
    footprint_touched_cost_ratio REAL,
    footprint_merged_bytes INTEGER,
    footprint_merge_profit_bytes INTEGER,
    PRIMARY KEY (round, guest)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    round INTEGER NOT NULL REFERENCES round ON DELETE CASCADE,
    guest INTEGER NOT NULL REFERENCES guest,
    reason TEXT NOT NULL,
    bound TEXT NOT NULL,
    target_before_bytes INTEGER,
    target_bytes INTEGER,
    actual_bytes INTEGER,
    min_bytes INTEGER,
    max_bytes INTEGER,
    used_bytes INTEGER,
    available_bytes INTEGER,
    free_bytes INTEGER,
    cache_bytes INTEGER,
    demand_bytes INTEGER,
    wish_bytes INTEGER,
    headroom_bytes INTEGER,
    floor_bytes INTEGER,
    confidence REAL,
    figures_age_s REAL,
    swap_in_bytes_per_s REAL,
    swap_out_bytes_per_s REAL,
    major_faults_per_s REAL,
    pressure_some_ratio REAL,
    refaults_per_s REAL,
    is_distressed INTEGER NOT NULL,
    is_stalled INTEGER NOT NULL,
    is_doubted INTEGER,
    is_confined INTEGER,
    host_swap_bytes INTEGER,
    host_swapped_out_bytes INTEGER,
    host_swap_in_bytes_per_s REAL,
    host_waiting_ratio REAL,
    host_rising_bytes INTEGER,
    host_unsplit_bytes INTEGER,
    due_bytes INTEGER,
    is_owed INTEGER,
    PRIMARY KEY (round, guest)
) STRICT, WITHOUT ROWID;

CREATE INDEX decision_by_guest ON decision (guest, round);

CREATE TABLE target_change (
    round INTEGER NOT NULL REFERENCES round ON DELETE CASCADE,
    position INTEGER NOT NULL,
    guest INTEGER NOT NULL,
    target_bytes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    is_urgent INTEGER NOT NULL,
    PRIMARY KEY (round, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    round INTEGER NOT NULL REFERENCES round ON DELETE CASCADE,
    position INTEGER NOT NULL,
    guest INTEGER NOT NULL REFERENCES guest,
    what TEXT NOT NULL,
    target_bytes INTEGER,
    actual_bytes INTEGER,
    outcome TEXT,
    detail TEXT,
    kind TEXT,
    size_bytes INTEGER,
    for_s REAL,
    step TEXT,
    act TEXT,
    asked_bytes INTEGER,
    taken_bytes INTEGER,
    took_s REAL,
    command TEXT,
    who TEXT,
    held_bytes INTEGER,
    trigger TEXT,
    free_bytes INTEGER,
    is_first INTEGER,
    PRIMARY KEY (round, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_guest ON event (guest, round);
