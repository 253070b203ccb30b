#ifndef VERSION_H
#define VERSION_H

/* The version of all of callmask. */
#define VERSION "0.1.0"

#endif
