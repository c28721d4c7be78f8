import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./src/schema/pipeline.ts', './src/schema/access.ts', './src/schema/dashboard.ts'],
  out: './migrations',
});
