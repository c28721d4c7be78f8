ALTER TABLE "runs" ADD COLUMN "truncated" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "submitted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "reason" text;--> statement-breakpoint
UPDATE "runs" SET "submitted_at" = "created_at" WHERE "state" IN ('scoring', 'done');--> statement-breakpoint
UPDATE "runs" SET "truncated" = "cut"."rows"
FROM (SELECT "run_id", count(*) AS "rows" FROM "items" WHERE "truncated" GROUP BY "run_id") "cut"
WHERE "runs"."id" = "cut"."run_id";
