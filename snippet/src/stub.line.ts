// What dist/stub.js is built from.
import { stub } from "./stub";

stub();
