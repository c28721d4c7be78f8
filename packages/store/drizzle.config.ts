import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./src/schema.ts', './src/schema-access.ts', './src/schema-dashboard.ts'],
  out: './migrations',
});
