-- {id} is a number given by the database, {row} one given by us, {table} room for rows that grow, {sorted} rows that lie in
-- the order of their key.

-- One row. `at` and `reading`: the clock of a file. `settled`: how many rows were ever settled.
CREATE TABLE famulor_outbox_store (
    schema BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reading BIGINT NOT NULL,
    settled BIGINT NOT NULL
);

CREATE TABLE famulor_outbox_account (
    id {id},
    name TEXT NOT NULL UNIQUE
);

-- `digest`: of the input that was imported. `importing`: until when the import is alive; null once it is whole.
-- `last`: the highest ordinal given out.
CREATE TABLE famulor_outbox_job (
    id {id},
    name TEXT NOT NULL UNIQUE,
    digest TEXT,
    importing BIGINT,
    last BIGINT NOT NULL
);

-- `position`: where the conversation stands, while that is known; while a message is in flight, where it stood before.
CREATE TABLE famulor_outbox_customer (
    id {id},
    account BIGINT NOT NULL,
    assistant BIGINT NOT NULL,
    customer TEXT NOT NULL,
    position TEXT,
    UNIQUE (account, assistant, customer)
) {table};

-- What a customer has in a job. `next`: the oldest queued row. `gate`: 0 a message is in flight, 1 where the
-- conversation stands has to be looked up first, 2 free. `served`: when the customer last had a turn.
CREATE TABLE famulor_outbox_line (
    id {id},
    job BIGINT NOT NULL,
    account BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    next BIGINT,
    gate BIGINT NOT NULL,
    served BIGINT NOT NULL,
    UNIQUE (customer, job)
) {table};
CREATE INDEX famulor_outbox_line_turn ON famulor_outbox_line (account, gate, served) WHERE next IS NOT NULL;
CREATE INDEX famulor_outbox_line_turn_in_job ON famulor_outbox_line (job, account, gate, served) WHERE next IS NOT NULL;
CREATE INDEX famulor_outbox_line_next ON famulor_outbox_line (job, next) WHERE next IS NOT NULL;

-- `owner`: the worker that is sending it. `settled`: its place in the order in which rows were settled.
CREATE TABLE famulor_outbox_row (
    id {row},
    job BIGINT NOT NULL,
    line BIGINT NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    on_unknown BIGINT NOT NULL,
    owner BIGINT,
    settled BIGINT,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    input_line BIGINT,
    ai_disabled BIGINT,
    key TEXT,
    caller_id TEXT,
    text TEXT NOT NULL,
    variables TEXT,
    reply TEXT,
    conversation TEXT,
    function_calls TEXT,
    error TEXT,
    reason TEXT
) {table};
CREATE UNIQUE INDEX famulor_outbox_row_key ON famulor_outbox_row (job, key) WHERE key IS NOT NULL;
CREATE INDEX famulor_outbox_row_owner ON famulor_outbox_row (owner) WHERE owner IS NOT NULL;
CREATE INDEX famulor_outbox_row_settled ON famulor_outbox_row (settled) WHERE settled IS NOT NULL;

-- The queued rows of each line. A table and not an index of the rows: the rows of an import come here once, sorted, when
-- the input is whole; an index would be written all over with every some thousand of them.
CREATE TABLE famulor_outbox_waiting (
    line BIGINT NOT NULL,
    id BIGINT NOT NULL,
    PRIMARY KEY (line, id)
) {sorted};

-- A row in doubt that is being read back, and its customer's other messages wait. `looked`: when a look last ended.
-- `looker`: the worker that is taking one.
CREATE TABLE famulor_outbox_doubt (
    id {row},
    job BIGINT NOT NULL,
    account BIGINT NOT NULL,
    since BIGINT NOT NULL,
    arrived BIGINT,
    looked BIGINT,
    looks BIGINT NOT NULL,
    empty_looks BIGINT NOT NULL,
    next_look BIGINT NOT NULL,
    looker BIGINT
);
CREATE INDEX famulor_outbox_doubt_next ON famulor_outbox_doubt (account, next_look);
CREATE INDEX famulor_outbox_doubt_looker ON famulor_outbox_doubt (looker) WHERE looker IS NOT NULL;

-- A worker that is alive until its lease ends. Its number is drawn by lot and never used again.
CREATE TABLE famulor_outbox_owner (
    id {row},
    lease BIGINT NOT NULL
);

CREATE TABLE famulor_outbox_count (
    job BIGINT NOT NULL,
    account BIGINT NOT NULL,
    state BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (job, account, state)
);
