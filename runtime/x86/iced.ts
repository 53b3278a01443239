/** iced-x86, as whoever bundles the runtime finds it; Node gets `host/node/iced.ts` in its place (`imports` in package.json). */
import iced from 'iced-x86';

export { iced };
