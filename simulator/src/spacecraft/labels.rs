//! The enumerations of the telemetry: their numbers go into packets, their labels are the dictionary's.

/// A value with a number for the packet and a name for people.
pub trait Label: Copy {
    /// As the packet carries it.
    fn raw(self) -> u32;
    /// As the dictionary calls it.
    fn label(self) -> &'static str;
}

macro_rules! labels {
    ($(#[$attribute:meta])* $name:ident { $($variant:ident),* }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $($variant),* }

        impl Label for $name {
            fn raw(self) -> u32 {
                self as u32
            }

            fn label(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),* }
            }
        }
    };
}

labels! {
    /// What the charge regulator does with the battery.
    ChargeState { Discharging, Charging, Taper, Balanced }
}

labels! {
    /// What the attitude control follows.
    AttitudeMode { Idle, NadirPointing, SunPointing, StationPointing }
}

labels! {
    /// State of the star tracker.
    StarTrackerState { Off, Acquiring, Tracking, Blinded }
}

labels! {
    /// Which gyroscope unit is used.
    GyroSelection { None, UnitA, UnitB }
}

labels! {
    /// Quality of the navigation solution.
    NavigationFix { NoFix, TwoDimensional, ThreeDimensional }
}

labels! {
    /// Who decides over the heaters.
    HeaterMode { Disabled, Thermostat, ForcedOn }
}

labels! {
    /// State of the transmitter.
    TransmitterState { Off, WarmingUp, Transmitting }
}

labels! {
    /// Ground station above which the spacecraft stands.
    StationInView { None, Svalbard, Awarua }
}

labels! {
    /// Antenna that is connected.
    AntennaSelection { ZenithPatch, NadirPatch }
}

labels! {
    /// What the spacecraft is busy with.
    SpacecraftMode { Safe, Nominal, Science, Downlink }
}

labels! {
    /// Software image that was started.
    BootImage { Golden, Primary, Secondary }
}

labels! {
    /// Why the computer started last.
    ResetCause { PowerOn, Command, Watchdog, Undervoltage }
}

labels! {
    /// What happened.
    EventIdentifier {
        ModeChanged,
        EclipseEntered,
        EclipseLeft,
        StationAcquired,
        StationLost,
        DesaturationStarted,
        DesaturationEnded,
        HeaterSwitched,
        ObservationStarted,
        ObservationEnded,
        LoadShed,
        LoadRestored,
        ReceiverLockLost,
        WheelFrictionHigh,
        BatteryCellLow
    }
}

labels! {
    /// How much it matters.
    EventSeverity { Information, Warning, Error }
}

labels! {
    /// Which page of the payload telemetry a packet carries.
    PayloadPage { Detector, Storage }
}

labels! {
    /// State of the payload.
    PayloadState { Off, Standby, Calibrating, Observing }
}

labels! {
    /// Filter before the detector.
    Filter { Open, Blue, Green, Red, NearInfrared }
}
