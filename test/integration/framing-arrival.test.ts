import { framingCases } from '../support/cases.ts';
import { describeArrivals } from '../support/framing-arrivals.ts';

// The others take minutes: test/long/framing-arrival.test.ts.
describeArrivals(framingCases().filter(({ tier }) => tier === 1));
