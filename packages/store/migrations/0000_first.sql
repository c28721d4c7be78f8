CREATE TABLE "guards" (
	"id" serial PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"ref" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "guards_fingerprint_unique" UNIQUE("fingerprint")
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
	"run_id" bigint NOT NULL,
	"guard_id" integer NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"contents" integer NOT NULL,
	"tokens" integer NOT NULL,
	"hashes" "bytea",
	"lengths" "bytea",
	"token_ids" "bytea",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"guard_id" integer NOT NULL,
	"name" text NOT NULL,
	"state" text DEFAULT 'submitting' NOT NULL,
	"rows" bigint DEFAULT 0 NOT NULL,
	"fresh" bigint DEFAULT 0 NOT NULL,
	"known" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"rejected" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
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
ALTER TABLE "items" ADD CONSTRAINT "items_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "parcels" ADD CONSTRAINT "parcels_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_guard_id_guards_id_fk" FOREIGN KEY ("guard_id") REFERENCES "public"."guards"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "parcels_run_state" ON "parcels" USING btree ("run_id","state");--> statement-breakpoint
CREATE INDEX "parcels_guard_state" ON "parcels" USING btree ("guard_id","state","id");