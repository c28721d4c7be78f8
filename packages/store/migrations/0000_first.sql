CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"firing_id" bigint NOT NULL,
	"body" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_status" integer,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "deliveries_firing_id_unique" UNIQUE("firing_id")
);
--> statement-breakpoint
CREATE TABLE "firings" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"schedule_id" integer NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"cause" text NOT NULL,
	"state" text DEFAULT 'due' NOT NULL,
	"run_id" bigint,
	"takes" integer DEFAULT 0 NOT NULL,
	"seen_at" timestamp with time zone,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"summary" jsonb,
	"reason" text,
	CONSTRAINT "firings_schedule_due" UNIQUE("schedule_id","due_at")
);
--> statement-breakpoint
CREATE TABLE "guards" (
	"id" serial PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"ref" text NOT NULL,
	"queue" uuid DEFAULT gen_random_uuid() NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "guards_fingerprint_unique" UNIQUE("fingerprint"),
	CONSTRAINT "guards_queue_unique" UNIQUE("queue")
);
--> statement-breakpoint
CREATE TABLE "installation" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "item_texts" (
	"run_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"json" text NOT NULL,
	"search" "tsvector",
	CONSTRAINT "item_texts_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "items" (
	"run_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"key" text NOT NULL,
	"content" "bytea",
	"truncated" boolean DEFAULT false NOT NULL,
	"reject" text,
	CONSTRAINT "items_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "parcels" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"run_id" bigint,
	"guard_id" integer NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"contents" integer NOT NULL,
	"tokens" integer NOT NULL,
	"hashes" "bytea",
	"lengths" "bytea",
	"token_ids" "bytea",
	"lost_leases" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"guard_id" integer NOT NULL,
	"name" text NOT NULL,
	"sources" text[] DEFAULT '{}' NOT NULL,
	"notes" text[] DEFAULT '{}' NOT NULL,
	"state" text DEFAULT 'submitting' NOT NULL,
	"threshold" real,
	"retain" text DEFAULT 'flagged' NOT NULL,
	"rows" bigint DEFAULT 0 NOT NULL,
	"fresh" bigint DEFAULT 0 NOT NULL,
	"known" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"rejected" bigint DEFAULT 0 NOT NULL,
	"truncated" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone,
	"submitted_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"reason" text,
	"owner_key" uuid,
	"searchable_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"cron" text NOT NULL,
	"time_zone" text NOT NULL,
	"request" jsonb NOT NULL,
	"webhook_url" text,
	"webhook_secret_env" text,
	"webhook_closed" text,
	"enabled" boolean DEFAULT true NOT NULL,
	"next_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schedules_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "scores" (
	"guard_id" integer NOT NULL,
	"content" "bytea" NOT NULL,
	"parcel_id" bigint NOT NULL,
	"tokens" integer NOT NULL,
	"score" real,
	"error" text,
	CONSTRAINT "scores_guard_id_content_pk" PRIMARY KEY("guard_id","content")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"role" text NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "api_keys_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"key_id" uuid,
	"who" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"run_id" bigint,
	"seq" bigint,
	"details" jsonb
);
--> statement-breakpoint
CREATE TABLE "policies" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"threshold" real NOT NULL,
	"meaning" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp with time zone,
	CONSTRAINT "policies_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "policy_changes" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"policy_id" integer NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"who" text NOT NULL,
	"what" text NOT NULL,
	"threshold_from" real,
	"threshold_to" real,
	"words_from" text,
	"words_to" text,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" "bytea" PRIMARY KEY NOT NULL,
	"key_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "batches" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_key" uuid,
	"input_file" text NOT NULL,
	"output_file" text,
	"error_file" text,
	"run_id" bigint,
	"endpoint" text NOT NULL,
	"completion_window" text NOT NULL,
	"output_expires_after" integer,
	"model" text,
	"state" text DEFAULT 'validating' NOT NULL,
	"total" integer DEFAULT 0 NOT NULL,
	"completed" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"metadata" jsonb,
	"errors" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"in_progress_at" timestamp with time zone,
	"finalizing_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"failed_at" timestamp with time zone,
	"cancelling_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	"expired_at" timestamp with time zone,
	"takes" integer DEFAULT 0 NOT NULL,
	"seen_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "file_chunks" (
	"file_id" text NOT NULL,
	"n" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "file_chunks_file_id_n_pk" PRIMARY KEY("file_id","n")
);
--> statement-breakpoint
CREATE TABLE "files" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_key" uuid,
	"filename" text NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"purpose" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"complete_at" timestamp with time zone,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "ranking_chunks" (
	"run_id" bigint NOT NULL,
	"chunk" integer NOT NULL,
	"rows" integer NOT NULL,
	"top_score" real NOT NULL,
	"top_seq" bigint NOT NULL,
	"bottom_score" real NOT NULL,
	"bottom_seq" bigint NOT NULL,
	"seqs" integer[] NOT NULL,
	"scores" real[] NOT NULL,
	CONSTRAINT "ranking_chunks_run_id_chunk_pk" PRIMARY KEY("run_id","chunk")
);
--> statement-breakpoint
CREATE TABLE "review_leases" (
	"guard_id" integer NOT NULL,
	"content" "bytea" NOT NULL,
	"run_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"reviewer" text NOT NULL,
	"until" timestamp with time zone NOT NULL,
	CONSTRAINT "review_leases_guard_id_content_pk" PRIMARY KEY("guard_id","content")
);
--> statement-breakpoint
CREATE TABLE "run_rankings" (
	"run_id" bigint PRIMARY KEY NOT NULL,
	"built_at" timestamp with time zone DEFAULT now() NOT NULL,
	"built_in_ms" integer NOT NULL,
	"scored" bigint NOT NULL,
	"failed" bigint NOT NULL,
	"final" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "verdicts" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"guard_id" integer NOT NULL,
	"content" "bytea" NOT NULL,
	"run_id" bigint,
	"seq" bigint NOT NULL,
	"score" real NOT NULL,
	"reviewer" text NOT NULL,
	"verdict" text NOT NULL,
	"note" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"undone_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_firing_id_firings_id_fk" FOREIGN KEY ("firing_id") REFERENCES "public"."firings"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "firings" ADD CONSTRAINT "firings_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "firings" ADD CONSTRAINT "firings_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "parcels" ADD CONSTRAINT "parcels_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_guard_id_guards_id_fk" FOREIGN KEY ("guard_id") REFERENCES "public"."guards"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_owner_key_api_keys_id_fk" FOREIGN KEY ("owner_key") REFERENCES "public"."api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "policy_changes" ADD CONSTRAINT "policy_changes_policy_id_policies_id_fk" FOREIGN KEY ("policy_id") REFERENCES "public"."policies"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_key_id_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_keys"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "batches" ADD CONSTRAINT "batches_owner_key_api_keys_id_fk" FOREIGN KEY ("owner_key") REFERENCES "public"."api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "batches" ADD CONSTRAINT "batches_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_chunks" ADD CONSTRAINT "file_chunks_file_id_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_owner_key_api_keys_id_fk" FOREIGN KEY ("owner_key") REFERENCES "public"."api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ranking_chunks" ADD CONSTRAINT "ranking_chunks_run_id_run_rankings_run_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."run_rankings"("run_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_leases" ADD CONSTRAINT "review_leases_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_rankings" ADD CONSTRAINT "run_rankings_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_guard_id_guards_id_fk" FOREIGN KEY ("guard_id") REFERENCES "public"."guards"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deliveries_pending" ON "deliveries" USING btree ("next_at") WHERE state = 'pending';--> statement-breakpoint
CREATE UNIQUE INDEX "firings_one_at_a_time" ON "firings" USING btree ("schedule_id") WHERE state in ('due', 'submitting', 'scoring');--> statement-breakpoint
CREATE INDEX "item_texts_search" ON "item_texts" USING gin ("search") WHERE search is not null;--> statement-breakpoint
CREATE INDEX "parcels_run_state" ON "parcels" USING btree ("run_id","state");--> statement-breakpoint
CREATE INDEX "parcels_guard_state" ON "parcels" USING btree ("guard_id","state","id");--> statement-breakpoint
CREATE INDEX "audit_log_run" ON "audit_log" USING btree ("run_id","id");--> statement-breakpoint
CREATE INDEX "policy_changes_policy" ON "policy_changes" USING btree ("policy_id","id");--> statement-breakpoint
CREATE INDEX "sessions_key" ON "sessions" USING btree ("key_id");--> statement-breakpoint
CREATE INDEX "batches_created" ON "batches" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "batches_run" ON "batches" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "batches_open" ON "batches" USING btree ("created_at") WHERE state in ('validating', 'in_progress', 'finalizing', 'cancelling');--> statement-breakpoint
CREATE INDEX "files_created" ON "files" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "review_leases_run" ON "review_leases" USING btree ("run_id","reviewer");--> statement-breakpoint
CREATE UNIQUE INDEX "verdicts_one_of_each" ON "verdicts" USING btree ("guard_id","content","reviewer") WHERE undone_at is null;--> statement-breakpoint
CREATE INDEX "verdicts_run" ON "verdicts" USING btree ("run_id");--> statement-breakpoint
-- What the TypeScript schema cannot say. Numbers do not compress: trying to is saved.
ALTER TABLE "ranking_chunks" ALTER COLUMN "seqs" SET STORAGE EXTERNAL, ALTER COLUMN "scores" SET STORAGE EXTERNAL;--> statement-breakpoint
WITH "added" AS (
	INSERT INTO "policies" ("name", "threshold", "meaning") VALUES
		('strict', 0.1, 'Whatever might be harmful: for rows that people look at before anything is done.'),
		('default', 0.5, 'More likely harmful than not.'),
		('permissive', 0.9, 'Almost certainly harmful: for what is done without a person.')
	RETURNING "id", "threshold"
)
INSERT INTO "policy_changes" ("policy_id", "who", "what", "threshold_to") SELECT "id", 'tocsin', 'created', "threshold" FROM "added" ORDER BY "id";
