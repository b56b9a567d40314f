//! The colours of the pictures, chosen to be told apart by people with common colour blindness too (after Okabe and
//! Ito); nothing is told by colour alone.

use labtrust_figures::draw::scene::Colour;

pub(super) const PAPER: Colour = Colour(0xff_ff_ff);
pub(super) const PANEL: Colour = Colour(0xf6_f7_f9);
pub(super) const LINE: Colour = Colour(0xd8_dc_e2);
pub(super) const INK: Colour = Colour(0x1c_23_2e);
pub(super) const SOFT: Colour = Colour(0x5b_67_77);
pub(super) const ROAD: Colour = Colour(0xa4_ae_bb);
pub(super) const NARROW: Colour = Colour(0xe6_9f_00);
pub(super) const RAMP: Colour = Colour(0xd5_5e_00);
pub(super) const CLOSED: Colour = Colour(0xb0_1e_1e);
pub(super) const PARKING: Colour = Colour(0x00_72_b2);
pub(super) const JUNCTION: Colour = Colour(0x6b_76_86);
pub(super) const LOADING: Colour = Colour(0x00_9e_73);
pub(super) const CRUSHER: Colour = Colour(0x7b_3f_98);
pub(super) const WASTE: Colour = Colour(0x8c_6d_46);
pub(super) const SERVICE: Colour = Colour(0x56_b4_e9);
pub(super) const CURVE: Colour = Colour(0x00_72_b2);
