import { framingCases } from '../support/cases.ts';
import { describeArrivals } from '../support/framing-arrivals.ts';

describeArrivals(framingCases());
