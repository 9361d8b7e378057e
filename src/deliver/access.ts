import { RunError } from '../errors/index.ts';

/**
 * A target lets nobody in: whatever else would be asked of it is answered the same, so the whole delivery
 * stops. What it has by then, the next start finds.
 */
export const lockedOut = (target: string, detail: string, remedy: string, cause?: unknown) =>
    new RunError('DELIVERY_LOCKED_OUT', { target, detail, remedy }, cause);
