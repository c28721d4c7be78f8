import type { Pool } from '@tocsin/postgres';

/** Less than a worker's six connections: each blocked parcel holds one. */
export const LESS_THAN_A_WORKER_STORES = 3;
export const MORE_THAN_A_WORKER_STORES = 12;

/**
 * A gate in the database: the last parcels of every run cannot finish before it opens. A run stays in the middle as
 * long as a test needs, on a machine of any speed.
 */
export const ParcelGate = {
  /**
   * @param pool of a migrated database, before a worker takes the last parcels
   * @param held number of blocked parcels per run
   */
  async close(pool: Pool, held = LESS_THAN_A_WORKER_STORES): Promise<void> {
    await pool.query(`
      create table gate (held int not null);
      insert into gate values (${held});
      create function wait_at_gate() returns trigger language plpgsql as $$
      begin
        while exists (select from gate where held > (select count(*) from parcels where run_id = new.run_id and id > new.id))
        loop
          perform pg_sleep(0.02);
        end loop;
        return new;
      end $$;
      create trigger wait_at_gate before update on parcels for each row
        when (new.state = 'done' and new.run_id is not null) execute function wait_at_gate()`);
  },

  /** Whether a worker has reached it: then it is storing one of the last parcels. */
  async isReached(pool: Pool): Promise<boolean> {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
    );
    return rowCount !== 0;
  },

  async open(pool: Pool): Promise<void> {
    await pool.query('delete from gate');
  },
};
