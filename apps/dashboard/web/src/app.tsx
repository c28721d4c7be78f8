import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { LocationProvider, Route, Router } from 'preact-iso';
import { ApiError } from './api/request.js';
import { AuditScreen } from './audit/audit-screen.js';
import { GuardsScreen } from './guards/guards-screen.js';
import { KeysScreen } from './keys/keys-screen.js';
import { Frame } from './layout/frame.js';
import { NoScreen } from './layout/screen.js';
import { PoliciesScreen } from './policies/policies-screen.js';
import { ReviewScreen } from './review/review-screen.js';
import { ReviewsScreen } from './review/reviews-screen.js';
import { RunScreen } from './run/run-screen.js';
import { RunsScreen } from './runs/runs-screen.js';
import { SchedulesScreen } from './schedules/schedules-screen.js';
import { restricted, SignedIn } from './session/sign-in.js';
import { Toasts } from './ui/toasts.js';

const client = createClient();
const Reviews = restricted(ReviewsScreen, 'oversee', 'Review');
const Review = restricted(ReviewScreen, 'oversee', 'Review');
const Schedules = restricted(SchedulesScreen, 'oversee', 'Schedules');
const Keys = restricted(KeysScreen, 'administer', 'Keys');
const Audit = restricted(AuditScreen, 'administer', 'Audit log');

/** The whole page. */
export function App(): JSX.Element {
  return (
    <QueryClientProvider client={client}>
      <LocationProvider>
        <Toasts>
          <SignedIn>
            <Frame>
              <Router>
                <Route path="/" component={RunsScreen} />
                <Route path="/runs/:id" component={RunScreen} />
                <Route path="/review" component={Reviews} />
                <Route path="/review/:run" component={Review} />
                <Route path="/policies" component={PoliciesScreen} />
                <Route path="/guards" component={GuardsScreen} />
                <Route path="/schedules" component={Schedules} />
                <Route path="/keys" component={Keys} />
                <Route path="/audit" component={Audit} />
                <Route default component={NoScreen} />
              </Router>
            </Frame>
          </SignedIn>
        </Toasts>
      </LocationProvider>
    </QueryClientProvider>
  );
}

const FRESH_MS = 2000;
const RETRIES = 2;

/** The query cache. A 401 response shows the sign-in again. */
function createClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, { queryKey }) => {
        if (error instanceof ApiError && error.status === 401 && queryKey[0] !== 'me') {
          void client.invalidateQueries({ queryKey: ['me'] });
        }
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        retry: (tries, error) => error instanceof ApiError && error.passing && tries < RETRIES,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
