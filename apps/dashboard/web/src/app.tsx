import { QueryClientProvider } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { LocationProvider, Route, Router } from 'preact-iso';
import { createClient } from './api/client.js';
import { AuditScreen } from './audit/audit-screen.js';
import { GuardsScreen } from './guards/guards-screen.js';
import { KeysScreen } from './keys/keys-screen.js';
import { Frame } from './layout/frame.js';
import { NoScreen } from './layout/no-screen.js';
import { PoliciesScreen } from './policies/policies-screen.js';
import { ReviewScreen } from './review/review-screen.js';
import { ReviewsScreen } from './review/reviews-screen.js';
import { RunScreen } from './run/run-screen.js';
import { RunsScreen } from './runs/runs-screen.js';
import { SchedulesScreen } from './schedules/schedules-screen.js';
import { restricted } from './session/restricted.js';
import { SignedIn } from './session/signed-in.js';
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
