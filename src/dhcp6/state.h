/* dhcp6/state: the states of the client. Private to dhcp6/. */
#ifndef DHCP6_STATE_H
#define DHCP6_STATE_H

enum state { STOPPED, SOLICITING, REQUESTING, BOUND, RENEWING, REBINDING, ASKING, INFORMED };

enum { CLIENT_FAILURES_MAX = 20 }; /* beyond it no pause gets longer */

#endif
