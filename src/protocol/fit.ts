/** Which boards a model fits, before it is quantized: the engine's answer as it is, plain data all through. */
export type { FirstBoardFit as FirstBoardFitView, FirstFit as FirstFitView } from '../engine/run/fit';
export type { BoardFit as BoardFitView, Fit as FitView, FitBoard, FitWay as FitWayView } from '../engine/run/fit';
