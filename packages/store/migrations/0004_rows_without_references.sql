ALTER TABLE "item_texts" DROP CONSTRAINT "item_texts_run_id_runs_id_fk";
--> statement-breakpoint
ALTER TABLE "items" DROP CONSTRAINT "items_run_id_runs_id_fk";
