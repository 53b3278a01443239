/** A request and its answer as a line of a trace: `xvda: READ {id:5 sector:2048 segments:11 sectors:88} = OKAY`. */
import { BLKIF_OP, BLKIF_RSP } from '../../abi/io/blkif.ts';
import { XenError } from '../../errors.ts';
import type { BlockRequest } from './protocol.ts';

export function requestText(
  name: string,
  request: BlockRequest,
  status: number,
  error: unknown,
): string {
  const reason = error instanceof XenError ? ` (${error.errno}: ${error.message})` : '';
  const fields = [`id:${request.id}`, ...fieldsOf(request)].join(' ');
  return `${name}: ${operationOf(request)} {${fields}} = ${nameOf(BLKIF_RSP, status)}${reason}`;
}

function operationOf({ kind, operation }: BlockRequest): string {
  if (kind === 'INDIRECT') return `INDIRECT ${nameOf(BLKIF_OP, operation)}`;
  return kind === 'unknown' ? `operation ${operation}` : kind;
}

function fieldsOf(request: BlockRequest): string[] {
  const sector = `sector:${request.sector}`;
  switch (request.kind) {
    case 'unknown':
      return [];
    case 'DISCARD':
      return [
        sector,
        `sectors:${request.count}`,
        ...(request.flag === 0 ? [] : [`flag:${request.flag}`]),
      ];
    case 'INDIRECT':
      return [sector, `segments:${request.count}`];
    default: {
      if (request.count === 0) return [];
      const sectors = request.segments.reduce((sum, { first, last }) => sum + last - first + 1, 0);
      return [sector, `segments:${request.count}`, `sectors:${sectors}`];
    }
  }
}

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, known]) => known === value)?.[0] ?? String(value);
