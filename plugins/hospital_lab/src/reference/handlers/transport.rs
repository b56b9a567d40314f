//! Transport between sites.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken_because};
use super::super::transport::named;
use super::super::value::texts;

const CUSTODY: &str = "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN";
const EXCURSION: &str = "TRANSPORT_TEMP_EXCURSION";

impl Episode {
    pub(in super::super) fn dispatch_transport(&mut self, event: &Event<'_>) -> Reply {
        let (origin, destination) = (event.text_arg("origin_site"), event.text_arg("dest_site"));
        let specimens = texts(event.arg("specimen_ids"));
        let consignment_id = self
            .transport
            .dispatch(specimens, &origin, &destination, event.t_s)
            .ok_or_else(|| Blocked::unrecorded("TRANSPORT_ROUTE_FORBIDDEN"))?;
        Ok(Accepted { consignment_id: Some(consignment_id), ..Accepted::emitting(["DISPATCH_TRANSPORT"]) })
    }

    /// Says which consignments are too close to their limit; nothing is refused.
    pub(in super::super) fn transport_tick(&mut self) -> Reply {
        let accepted = Accepted::emitting(["TRANSPORT_TICK"]);
        match self.transport.near_limit() {
            0 => Ok(accepted),
            close => Ok(accepted.finding(vec![broken_because("INV-TRANSPORT-001", EXCURSION); close])),
        }
    }

    pub(in super::super) fn receive_transport(&mut self, event: &Event<'_>) -> Reply {
        let invariant = |code| if code == CUSTODY { "INV-COC-001" } else { "INV-TRANSPORT-001" };
        match self.transport.receive(named(event.args).as_deref()) {
            Ok(()) => Ok(Accepted::emitting(["RECEIVE_TRANSPORT"])),
            Err(code) => Err(Blocked::unrecorded(code).breaking(vec![broken_because(invariant(code), code)])),
        }
    }

    pub(in super::super) fn sign_custody(&mut self, event: &Event<'_>) -> Reply {
        if self.transport.sign(named(event.args).as_deref()) {
            Ok(Accepted::emitting(["CHAIN_OF_CUSTODY_SIGN"]))
        } else {
            Err(Blocked::unrecorded(CUSTODY))
        }
    }
}
