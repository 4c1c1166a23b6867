/**
 * What must hold in every scenario at every moment, asked once a virtual second: bounds of neighbours and queues, and that
 * no node shows a record that it must not show.
 */
#ifndef PEER_TESTS_SIM_CHECKERS_H
#define PEER_TESTS_SIM_CHECKERS_H

#include "scenario.h"

/** Fails the test if something does not hold. Between two calls a virtual second passes, or nothing is asked. */
void checkers_run(struct world *world);
/** When the scenario is over: a network in one piece has to become equal, every byte of what is shown. */
void checkers_run_at_the_end(struct world *world);

#endif
