// The API's shapes by their short names; the one source is openapi.json.
import type { components } from './schema';

type Shapes = components['schemas'];

export type Quote = Shapes['Quote'];
export type Stock = Shapes['Stock'];
export type Bar = Shapes['Bar'];
export type BarPage = Shapes['BarPage'];
export type Interval = Shapes['Interval'];
export type FeedStatus = Shapes['FeedStatus'];
export type CalendarStatus = Shapes['CalendarStatus'];
export type MarketStatus = Shapes['MarketStatus'];
export type Problem = Shapes['Problem'];
export type Gap = Shapes['Gap'];
export type Passport = Shapes['Passport'];
export type BarVersion = Shapes['BarVersion'];
export type CheckResult = Shapes['CheckResult'];
export type MarketOverview = Shapes['MarketOverview'];
export type Mover = Shapes['Mover'];
export type SectorBreadth = Shapes['SectorBreadth'];
export type SymbolChange = Shapes['SymbolChange'];
export type SymbolGap = Shapes['SymbolGap'];
export type RefusedBar = Shapes['RefusedBar'];
export type SessionLevel = Shapes['SessionLevel'];
export type HopLatency = Shapes['HopLatency'];
export type Restatement = Shapes['Restatement'];
export type BarChange = Shapes['BarChange'];
export type CorporateAction = Shapes['CorporateAction'];
