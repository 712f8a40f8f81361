/* dhcp4/state: the states of an exchange of the client. Private to dhcp4/. */
#ifndef DHCP4_STATE_H
#define DHCP4_STATE_H

enum state { STOPPED, SELECTING, REQUESTING, BOUND, RENEWING, REBINDING, INFORMING, INFORMED };

enum { CLIENT_FAILURES_MAX = 12 }; /* beyond it no pause gets longer */

#endif
