CREATE TABLE "item_texts" (
	"run_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"json" text NOT NULL,
	CONSTRAINT "item_texts_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
ALTER TABLE "parcels" ALTER COLUMN "run_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "guards" ADD COLUMN "queue" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "threshold" real;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "retain" text DEFAULT 'flagged' NOT NULL;--> statement-breakpoint
ALTER TABLE "item_texts" ADD CONSTRAINT "item_texts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guards" ADD CONSTRAINT "guards_queue_unique" UNIQUE("queue");