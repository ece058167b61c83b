import { type Finding, valueAt } from './issues.ts';

/** What the fields of `doors` say against each other and against the other listeners. */
export function checkDoors(root: unknown): readonly Finding[] {
  return [...checkOpen(root), ...checkTrusted(root), ...checkPorts(root)];
}

function checkOpen(root: unknown): readonly Finding[] {
  const [port, open, grpcPort] = ['port', 'open', 'grpcPort'].map((key) => valueAt(root, ['doors', key]));
  const isEmpty = open === undefined || (Array.isArray(open) && open.length === 0);
  if (!isEmpty && port === undefined && grpcPort === undefined) {
    const message = 'opens nothing without doors.port: name the port at which proxies ask, such as 8082';
    return [{ path: ['doors', 'open'], at: 'value', message }];
  }
  if (grpcPort !== undefined && !(Array.isArray(open) && open.includes('envoy'))) {
    const message = 'is where Envoy asks: add envoy to doors.open, or leave it out';
    return [{ path: ['doors', 'grpcPort'], at: 'value', message }];
  }
  return [];
}

function checkTrusted(root: unknown): readonly Finding[] {
  const trusted = valueAt(root, ['doors', 'trusted']);
  if (!Array.isArray(trusted) || trusted.length > 0) return [];
  const message =
    'would refuse everybody: name the addresses of the proxies that ask, or leave it out for this machine alone';
  return [{ path: ['doors', 'trusted'], at: 'value', message }];
}

function checkPorts(root: unknown): readonly Finding[] {
  const taken = new Map<unknown, string>([
    [valueAt(root, ['listen', 'port']) ?? 8080, 'the port for clients'],
    [valueAt(root, ['admin', 'port']) ?? 8081, 'admin.port'],
  ]);
  return ['port', 'grpcPort'].flatMap((key): readonly Finding[] => {
    const port = valueAt(root, ['doors', key]);
    if (typeof port !== 'number' || port === 0) return [];
    const other = taken.get(port);
    taken.set(port, `doors.${key}`);
    if (other === undefined) return [];
    const message = `is ${port}, which is ${other} too; choose another`;
    return [{ path: ['doors', key], at: 'value', message }];
  });
}
